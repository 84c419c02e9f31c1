"""The columns that an object of a mapping can read: those of its file, of the files joined to it, or distinct values.

What belongs here: finding a column by the name that a mapping gives it, and refusing keys that are none. What does not:
reading files (`tabular`), and making the object's columns of them (`build`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.sources.files.errors import MappingError
from ingestion.sources.files.mapping import DistinctMapping, Mapping
from ingestion.sources.files.tabular import TabularFile, require_columns

_DISTINCT_VALUE = "value"
_ROWS_SHOWN = 5
_KEY_SEPARATOR = "\x1f"  # ASCII unit separator, which nobody types in a key


@dataclass(frozen=True)
class SourceColumn:
    """One readable column: its text, and the file and column it is from (None for what `distinct` adds)."""

    values: pa.Array
    source: str
    name: str | None


class SourceColumns(dict[str, SourceColumn]):
    """Columns by their name in a mapping; a name that differs in case or blanks alone finds its only column."""

    def __missing__(self, name: str) -> SourceColumn:
        found = [known for known in self if plain_name(known) == plain_name(name)]
        if len(found) != 1:
            raise KeyError(name)
        return self[found[0]]

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and bool(self[name])
        except KeyError:
            return False


def read_columns(mapping: Mapping, table: str, files: dict[str, TabularFile]) -> SourceColumns:
    """Columns by their name in a mapping: those of the first file plainly, those of every file as `file.column`."""
    mapped = mapping.objects[table]
    if mapped.source:
        rows = files[mapped.source].rows
        first = {name: SourceColumn(_whole(rows, name), mapped.source, name) for name in rows.column_names}
        readable = SourceColumns({f"{mapped.source}.{name}": column for name, column in first.items()} | first)
    else:
        readable = _distinct_columns(mapped.distinct, files)
    for join in mapped.join:
        joined = files[join.source]
        rights = _find_columns(joined, list(join.match.values()))
        for left in join.match:
            refuse_unknown_column(mapping, table, f"join.match.{left}", left, readable)
        keys = pa.chunked_array([_joined_key([_whole(joined.rows, name) for name in rights])])
        refuse_repeated_key(
            keys,
            mapping,
            f"objects.{table}.join: the key {', '.join(join.match.values())} of '{join.source}'",
            joined.path,
        )
        found = pc.index_in(
            _joined_key([readable[left].values for left in join.match]), value_set=keys, skip_nulls=True
        )
        for name in joined.rows.column_names:
            readable[f"{join.source}.{name}"] = SourceColumn(_whole(joined.rows, name).take(found), join.source, name)
    return readable


def _distinct_columns(distinct: tuple[DistinctMapping, ...], files: dict[str, TabularFile]) -> SourceColumns:
    names = list(dict.fromkeys(name for part in distinct for name in part.values))
    columns: dict[str, list[pa.Array]] = {_DISTINCT_VALUE: [], **{name: [] for name in names}}
    for part in distinct:
        file = files[part.source]
        values = pc.drop_null(_whole(file.rows, _find_columns(file, [part.column])[0]).unique())
        columns[_DISTINCT_VALUE].append(values)
        for name in names:
            columns[name].append(repeat(part.values.get(name), len(values)))
    return SourceColumns(
        {name: SourceColumn(pa.concat_arrays(parts), distinct[0].source, None) for name, parts in columns.items()}
    )


def _find_columns(file: TabularFile, names: list[str]) -> list[str]:
    """Names as the file writes them; see `SourceColumns`."""
    there = file.rows.column_names
    written = {name: [known for known in there if plain_name(known) == plain_name(name)] for name in names}
    found = [name if name in there or len(written[name]) != 1 else written[name][0] for name in names]
    require_columns(file.path, there, found)
    return found


def refuse_unknown_column(mapping: Mapping, table: str, key: str, reference: str, readable: SourceColumns) -> None:
    """Refuse a reference to a column that is not there.

    Raises:
        MappingError: It names those that are.
    """
    if reference in readable:
        return
    mapped = mapping.objects[table]
    prefix = reference.partition(".")[0]
    source = prefix if prefix in mapped.sources else mapped.source
    if source is None:
        there = [name for name in readable if readable[name].name is None or "." in name]
        raise MappingError(
            f"objects.{table}.{key} names '{reference}', which a distinct source does not have.",
            where=str(mapping.path),
            fix=f"The names there are: {', '.join(there)}.",
        )
    columns = [column.name for name, column in readable.items() if name == f"{source}.{column.name}" and column.name]
    raise MappingError(
        f"objects.{table}.{key} names the column '{reference}', which {mapping.files[source].path} does not have.",
        where=str(mapping.path),
        fix=f"The columns there are: {', '.join(columns)}.",
    )


def refuse_repeated_key(
    keys: pa.ChunkedArray, mapping: Mapping, what: str, path: Path, *, allowed_share: float = 0
) -> None:
    """Refuse keys that more than one row has.

    Args:
        keys: One per row; NULL is nobody's key.
        mapping: Named in the error.
        what: What is not unique, for the error.
        path: The file.
        allowed_share: Share of the rows below which they may share a key with another.

    Raises:
        MappingError: It names the first rows.
    """
    counts = pc.value_counts(pc.drop_null(keys))
    repeated = counts.filter(pc.greater(counts.field("counts"), 1))
    if not len(repeated) or pc.sum(repeated.field("counts")).as_py() < allowed_share * len(keys):
        return
    first = repeated.field("values")[0]
    rows = [str(index + 1) for index, key in enumerate(keys.to_pylist()) if key == first.as_py()][:_ROWS_SHOWN]
    raise MappingError(
        f"{what} is not unique: {len(repeated)} values occur more than once, the first in rows {', '.join(rows)} (the header is not counted).",
        where=f"{path}, mapped by {mapping.path}",
        fix="Choose a column that names one record each, normalise less, or remove the repeated rows from the export. Nothing of it landed.",
    )


def _whole(rows: pa.Table, name: str) -> pa.Array:
    combined = rows.column(name).combine_chunks()
    return pa.concat_arrays(combined.chunks) if isinstance(combined, pa.ChunkedArray) else combined


def repeat(value: str | None, count: int) -> pa.Array:
    """A column of one text."""
    return pa.repeat(pa.scalar(value, pa.string()), count)


def plain_name(name: str) -> str:
    """A column name without what a sender may write in another way: case, and blanks."""
    return " ".join(name.split()).casefold()


def _joined_key(parts: list[pa.Array]) -> pa.Array:
    parts = [pc.utf8_trim_whitespace(part) for part in parts]
    return (
        parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, _KEY_SEPARATOR, null_handling="emit_null")
    )
