"""Turn an export's files into the rows of one canonical object."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts.samples import shape_of
from ingestion.sources.files.advice import advise
from ingestion.sources.files.canonical import CANONICAL_OBJECTS, CURRENCY_OF, DELETION_MARKS, EXTRA_PREFIX, Kind
from ingestion.sources.files.clock_order import settle_order
from ingestion.sources.files.durations import to_duration_text
from ingestion.sources.files.errors import MappingError
from ingestion.sources.files.flags import to_flag_text
from ingestion.sources.files.mapping import ColumnMapping, Mapping, split_template
from ingestion.sources.files.normalise import text_normaliser
from ingestion.sources.files.numbers import (
    CANONICAL_DECIMAL,
    CANONICAL_WHOLE,
    find_sign,
    to_decimal_text,
    to_integer_text,
)
from ingestion.sources.files.source_columns import (
    SourceColumns,
    plain_name,
    read_columns,
    refuse_repeated_key,
    refuse_unknown_column,
    repeat,
)
from ingestion.sources.files.tabular import TabularFile
from ingestion.sources.files.times import TimeStyle, list_instants, read_time, to_date_text, to_timestamp_text
from ingestion.sources.phone_numbers import to_e164

# Words that are compared with other words: blanks around them say nothing. So are all columns that end in `_id`.
_TRIMMED = frozenset({"stage_name", "status", "direction", "role", "currency", "lead_source"})
_MIDNIGHT = r"^\s*\S+[T ]0?0:00(:00(\.0+)?)?\s*$"
_CLOCK_ORDER = {
    "files__call": (("started_at", "answered_at"), ("started_at", "ended_at"), ("answered_at", "ended_at")),
}


def build_rows(mapping: Mapping, table: str, files: dict[str, TabularFile]) -> pa.Table:
    """The rows of one canonical object, as text, in the order of its file.

    The canonical columns that the mapping fills come first. The source's columns that it does not read, or not
    reversibly, follow as `extra_<column>`. A value that is not of its column's kind stays as it came: the contract
    quarantines its row with the reason.

    Args:
        mapping: The mapping.
        table: One of `mapping.targets`.
        files: The files read, by their name in the mapping; at least those of `mapping.objects[table].sources`.

    Raises:
        FileUnreadable: The mapping names a column that a file does not have.
        MappingError: No value of a column is of its kind, two rows share a key, or a joined file repeats its key.
    """
    mapped, canonical = mapping.objects[table], CANONICAL_OBJECTS[table]
    readable = read_columns(mapping, table, files)
    count = len(next(iter(readable.values())).values)
    built: dict[str, pa.Array] = {}
    for name in [*canonical.columns, *(name for name in mapped.columns if name not in canonical.columns)]:
        if name in mapped.columns:
            built[name] = _build_column(mapping, table, name, readable, count)
    built |= _deletion_marks(mapping, table, readable)
    built |= _settle_currencies(mapping, table, built, readable, count)
    built |= _settle_times(mapping, table, built, readable, count)
    built |= _extra_columns(mapping, table, readable, taken=set(built))
    rows = pa.table(built)
    if mapped.distinct:
        return _first_of_each_key(rows, canonical.key)
    is_once = mapped.repeated_rows == "once"
    refuse_repeated_key(
        (_distinct_rows(rows) if is_once else rows).column(canonical.key),
        mapping,
        f"objects.{table}: the key {canonical.key}",
        _path_of(mapping, table, files),
        # A few rows that share a key are set aside when they land. Where half do, the column is no key.
        allowed_share=0 if is_once else 0.5,
    )
    return rows


def _build_column(mapping: Mapping, table: str, name: str, readable: SourceColumns, count: int) -> pa.Array:
    column = mapping.objects[table].columns[name]
    text = _column_text(mapping, table, name, readable, count)
    if column.constant is not None:
        return text
    kind = mapping.kind_of(table, name)
    convert = _converter(mapping, column, kind, readable, is_days=kind == "date" and _is_midnights(text))
    return _convert(mapping, f"objects.{table}.columns.{name}", column, text, convert, kind) if convert else text


def _column_text(mapping: Mapping, table: str, name: str, readable: SourceColumns, count: int) -> pa.Array:
    """A column's text before it is converted to its kind."""
    column = mapping.objects[table].columns[name]
    for reference in column.references:
        refuse_unknown_column(mapping, table, f"columns.{name}", reference, readable)
    if column.constant is not None:
        return repeat(column.constant, count)
    text = _put_together(column, [readable[reference].values for reference in column.references])
    if name in _TRIMMED or name.endswith("_id"):
        text = _blank_to_null(pc.utf8_trim_whitespace(text))
    if column.normalise or column.aliases:
        text = _apply_to_distinct(text, text_normaliser(column.normalise, mapping.aliases_of(column)))
    return text


def _put_together(column: ColumnMapping, parts: list[pa.Array]) -> pa.Array:
    if column.source is not None:
        return parts[0]
    if column.concat:
        joined = pc.binary_join_element_wise(*parts, column.separator, null_handling="skip")
        return _blank_to_null(joined)
    pieces: list[pa.Array | pa.Scalar] = []
    values = iter(parts)
    for literal, reference in split_template(column.template or ""):
        pieces.append(pa.scalar(literal, pa.string()))
        if reference:
            pieces.append(next(values))
    return pc.binary_join_element_wise(*pieces, "", null_handling="emit_null")


def _converter(
    mapping: Mapping, column: ColumnMapping, kind: Kind, readable: SourceColumns, *, is_days: bool
) -> Callable[[str], str | None] | None:
    number = column.number_style
    match kind:
        case "date":
            zone = None if is_days else mapping.org.business_timezone
            business_zone = ZoneInfo(zone) if zone else None
            return partial(to_date_text, style=_time_style(mapping, column, readable), business_zone=business_zone)
        case "flag":
            return to_flag_text
        case "timestamp":
            return partial(to_timestamp_text, style=_time_style(mapping, column, readable))
        case "decimal":
            return partial(to_decimal_text, style=number)
        case "integer":
            return partial(to_integer_text, style=number)
        case "duration":
            return partial(to_duration_text, unit=column.unit, style=number, clock_format=column.format)
        case "phone":
            return partial(to_e164, region=mapping.phone_region)
        case "text":
            return None


def _is_midnights(text: pa.Array) -> bool:
    """Whether every value is a midnight without a zone: days, written by a tool that has only instants."""
    filled = pc.drop_null(text)
    return len(filled) > 0 and bool(pc.all(pc.match_substring_regex(filled, _MIDNIGHT)).as_py())


def _deletion_marks(mapping: Mapping, table: str, readable: SourceColumns) -> dict[str, pa.Array]:
    """The source's own mark of a deleted row, where it has one and the mapping does not speak of deletion."""
    if "is_deleted" not in CANONICAL_OBJECTS[table].columns or "is_deleted" in mapping.objects[table].columns:
        return {}
    for name in DELETION_MARKS:
        if name in readable:
            marks = _apply_to_distinct(readable[name].values, to_flag_text)
            if marks.null_count == readable[name].values.null_count:
                return {"is_deleted": marks}
    return {}


def _time_style(mapping: Mapping, column: ColumnMapping, readable: SourceColumns) -> TimeStyle:
    source = readable[column.references[0]].source if column.references else None
    zone = ZoneInfo(column.timezone or (source and mapping.files[source].timezone) or mapping.timezone)
    return TimeStyle(zone, column.format, mapping.zone_meanings, column.number_style)


def _convert(
    mapping: Mapping,
    where: str,
    column: ColumnMapping,
    text: pa.Array,
    convert: Callable[[str], str | None],
    kind: Kind,
) -> pa.Array:
    canonical = _canonical_pattern(column, kind)
    if canonical:
        kept = pc.if_else(pc.match_substring_regex(text, canonical), text, None)
        converted = pc.coalesce(kept, _apply_to_distinct(pc.if_else(pc.is_valid(kept), None, text), convert))
    else:
        converted = _apply_to_distinct(text, convert)
    filled = len(text) - text.null_count
    if kind != "phone" and filled > 1 and converted.null_count == len(converted):
        values = pc.drop_null(text)
        raise MappingError(
            f"{where}: none of {filled} values reads as {kind}; they look like '{shape_of(values[0].as_py())}' (9 = digit, a = letter).",
            where=f"{mapping.path}, {' + '.join(column.references)}",
            fix=advise(kind, values.unique().to_pylist()),
        )
    return pc.coalesce(converted, text)


def _canonical_pattern(column: ColumnMapping, kind: Kind) -> str | None:
    """Text that the column's conversion would not change, as a regular expression; None if it may change any."""
    if not column.number_style.keeps_plain_digits:
        return None
    if kind == "decimal":
        return CANONICAL_DECIMAL
    is_whole = kind == "integer" or (kind == "duration" and column.unit in (None, "seconds"))
    return CANONICAL_WHOLE if is_whole else None


def _settle_currencies(
    mapping: Mapping, table: str, built: dict[str, pa.Array], readable: SourceColumns, count: int
) -> dict[str, pa.Array]:
    """Currencies that an amount's own sign names: they beat a constant, and fill what is blank.

    Where a sign contradicts the currency of its row, the amount stays as it came, so that its row is set aside.
    """
    settled: dict[str, pa.Array] = {}
    for (home, name), currency in CURRENCY_OF.items():
        column = mapping.objects[table].columns.get(name)
        if home != table or column is None or not column.currency_signs:
            continue
        text = _column_text(mapping, table, name, readable, count)
        signs = tuple(column.currency_signs)
        own = _apply_to_distinct(text, lambda value: column.currency_signs.get(find_sign(value, signs) or ""))  # noqa: B023
        said = built.get(currency, repeat(None, count))
        mapped = mapping.objects[table].columns.get(currency)
        if mapped is None or mapped.constant is not None:
            settled[currency] = pc.coalesce(own, said)
        else:
            contradicts = pc.fill_null(pc.not_equal(own, said), False)
            settled[name] = pc.if_else(contradicts, text, built[name])
            settled[currency] = pc.coalesce(said, own)
    return settled


def _settle_times(
    mapping: Mapping, table: str, built: dict[str, pa.Array], readable: SourceColumns, count: int
) -> dict[str, pa.Array]:
    """Times that are in order only a day later, or in the second pass of an hour that local clocks show twice."""
    columns = mapping.objects[table].columns
    late = {name: column.not_before for name, column in columns.items() if column.not_before}
    known = [pair for pair in _CLOCK_ORDER.get(table, ()) if columns.keys() >= set(pair)]
    order = list(dict.fromkeys([*((earlier, name) for name, earlier in late.items()), *known]))
    names = list(dict.fromkeys(name for pair in order for name in pair))
    if not order:
        return {}
    texts = {name: _column_text(mapping, table, name, readable, count) for name in names}
    styles = {name: _time_style(mapping, columns[name], readable) for name in names}
    is_open = _repeat_false(count)
    for earlier, later in order:  # canonical text sorts as time
        is_open = pc.or_(is_open, pc.fill_null(pc.less(built[later], built[earlier]), False))
    for name in names:
        is_near = partial(_is_near_a_change, zone=styles[name].zone)
        near = pc.is_valid(_apply_to_distinct(pc.utf8_slice_codeunits(built[name], 0, 10), is_near))
        is_twice = partial(_is_shown_twice, style=styles[name])
        is_open = pc.or_(is_open, pc.is_valid(_apply_to_distinct(pc.if_else(near, texts[name], None), is_twice)))
    if not pc.any(is_open).as_py():
        return {}
    settled = {name: built[name].to_pylist() for name in names}
    for row in pc.indices_nonzero(is_open).to_pylist():
        chosen = settle_order({name: texts[name][row].as_py() for name in names}, styles, order, frozenset(late))
        for name, instant in (chosen or {}).items():
            settled[name][row] = instant
    return {name: pa.array(values, pa.string()) for name, values in settled.items()}


def _is_near_a_change(day: str, zone: ZoneInfo) -> str | None:
    """The day itself if clocks in the zone are changed on it or on a day beside it."""
    try:
        noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=zone)
        around = {(noon + timedelta(days=days)).utcoffset() for days in (-2, 2)}
    except (ValueError, OverflowError):
        return None
    return day if len(around) > 1 else None


def _is_shown_twice(text: str, style: TimeStyle) -> str | None:
    found = read_time(text, style)
    return text if found and len(list_instants(found, style.zone)) > 1 else None


def _extra_columns(mapping: Mapping, table: str, readable: SourceColumns, *, taken: set[str]) -> dict[str, pa.Array]:
    """Columns of this object's own files that it does not read reversibly: nothing that an export says is lost."""
    mapped = mapping.objects[table]
    reversible = [
        column
        for name, column in mapped.columns.items()
        if column.is_reversible and mapping.kind_of(table, name) != "phone"
    ]
    kept = {(readable[name].source, readable[name].name) for column in reversible for name in column.references}
    joined_on = {(join.source, plain_name(name)) for join in mapped.join for name in join.match.values()}
    homes = {source for source in mapping.files if _home_of(mapping, source) == table}
    extras: dict[str, pa.Array] = {}
    for column in {id(column): column for column in readable.values()}.values():
        origin = (column.source, column.name)
        if column.name is None or column.source not in homes or origin in kept:
            continue
        if (column.source, plain_name(column.name)) in joined_on:
            continue
        name = base = EXTRA_PREFIX + (re.sub(r"[^0-9a-z]+", "_", column.name.lower()).strip("_") or "column")
        number = 2
        while name in {known.lower() for known in taken} or name in extras:
            name, number = f"{base}_{number}", number + 1
        extras[name] = column.values
    return extras


def _home_of(mapping: Mapping, source: str) -> str | None:
    """The object that keeps a file's unread columns: the first whose rows come from it, else the first that joins it."""
    objects = mapping.objects.items()
    reading = [table for table, mapped in objects if mapped.source == source]
    joining = [table for table, mapped in objects if any(join.source == source for join in mapped.join)]
    return next(iter(reading + joining), None)


def _path_of(mapping: Mapping, table: str, files: dict[str, TabularFile]) -> Path:
    return files[mapping.objects[table].sources[0]].path


def _first_of_each_key(rows: pa.Table, key: str) -> pa.Table:
    numbered = rows.append_column("_row", pa.array(range(rows.num_rows), pa.int64()))
    first = numbered.group_by(key, use_threads=False).aggregate([("_row", "min")]).column("_row_min").combine_chunks()
    return rows.take(first.sort())


def _distinct_rows(rows: pa.Table) -> pa.Table:
    return rows.group_by(rows.column_names, use_threads=False).aggregate([])


def _apply_to_distinct(values: pa.Array, function: Callable[[str], str | None]) -> pa.Array:
    """Apply a Python function once per distinct value."""
    encoded = values.dictionary_encode()
    applied = pa.array(
        [text if text is None else function(text) for text in encoded.dictionary.to_pylist()], pa.string()
    )
    return applied.take(encoded.indices)


def _blank_to_null(text: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(text, ""), None, text)


def _repeat_false(count: int) -> pa.Array:
    return pa.repeat(pa.scalar(False), count)
