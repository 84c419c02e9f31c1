"""New rows of a table: the person's own columns emptied, their address, names and numbers gone from all other rows.

What belongs here: one table at a time, file by file. What does not: the order of tables, and the form of the commit
(`storage.purge`).
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb.func import FunctionNullHandling

from storage.erasure.person import Person, own_rows, phone_tail, phone_tail_sql, quoted
from storage.erasure.structure import PersonalData
from storage.lake import RESERVED_COLUMNS, Lake
from storage.purge import replace_files

ERASED_NAME = "[erased]"
_HERS = "_is_the_persons"
_OF_NUMBERS = r"[0-9+ ()./\-]"  # characters that phone numbers are written with


@dataclass(frozen=True)
class Replacing:
    """How to find a person's address and names in a text, and what replaces them.

    Attributes:
        person: The person.
        personal: Which tables hold which personal data.
        token: Names this erasure: an erased person's messages still belong together, but to nobody.
    """

    person: Person
    personal: PersonalData
    token: str

    @property
    def address_pattern(self) -> str:
        """The whole address, not a part of a longer one. Groups 1 and 2 are the characters around it."""
        local, _, domain = self.person.address.partition("@")
        address = f"{re.escape(local)}(?:@|%40){re.escape(domain)}"
        return rf"(^|[^a-z0-9._%+\-]){address}($|[^a-z0-9.\-]|\.$|\.[^a-z0-9])"

    @property
    def address_replacement(self) -> str:
        """An address that nobody can have, between the characters around the old one."""
        return rf"\1erased-{self.token}@erased.invalid\2"

    @cached_property
    def names_pattern(self) -> str:
        """Any of the names, with any blanks inside; matches nothing if there is none."""
        names = "|".join(
            r"\s+".join(map(re.escape, name.split())) for name in sorted(self.person.names, key=len, reverse=True)
        )
        return rf"(^|[^\p{{L}}\p{{N}}])(?:{names})($|[^\p{{L}}\p{{N}}])" if names else r"[^\s\S]"

    @cached_property
    def numbers_pattern(self) -> str:
        """Any of the phone numbers among digits; matches nothing if there is none."""
        return "|".join(sorted(self.person.phones)) or r"[^\s\S]"

    def empty_parties(self, text: str) -> str | None:
        """JSON without the parties that have one of the person's numbers; None if the text is not JSON."""
        try:
            content = json.loads(text)
        except ValueError:
            return None
        return json.dumps(self._without_person(content), separators=(",", ":"), ensure_ascii=False)

    def _without_person(self, content: Any) -> Any:
        """Empty an object that has one of the numbers as a value: a party of a call. Drop a text that mentions one."""
        if isinstance(content, dict):
            is_hers = any(self._is_number(name, value) for name, value in content.items())
            return {} if is_hers else {name: self._without_person(value) for name, value in content.items()}
        if isinstance(content, list):
            return [self._without_person(value) for value in content]
        is_mentioned = isinstance(content, str) and any(
            phone_tail(run) in self.person.phones for run in re.findall(rf"[0-9]{_OF_NUMBERS}*", content)
        )
        return None if is_mentioned else content

    def _is_number(self, name: str, value: Any) -> bool:
        """Whether a value is one of the numbers, however written; if not text, only under a name that numbers have."""
        is_alone = (
            self.personal.may_hold_phone_of_call(name)
            if isinstance(value, int)
            else re.fullmatch(rf"{_OF_NUMBERS}+", str(value))
        )
        return bool(is_alone) and phone_tail(str(value)) in self.person.phones

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of this module's SQL."""
        return {
            "ids": sorted(self.person.record_ids),
            "address": self.person.address,
            "address_pattern": self.address_pattern,
            "address_replacement": self.address_replacement,
            "names_pattern": self.names_pattern,
            "names_replacement": rf"\1{ERASED_NAME}\2",
            "phones": sorted(self.person.phones),
            "numbers_pattern": self.numbers_pattern,
            "kept_history": self.personal.kept_history,
        }

    def scrub(self, text: str) -> str:
        """Replace the address in a text of the log, which holds nothing else of the person."""
        for _ in range(2):  # twice, for two that share the blank between them
            text = re.sub(self.address_pattern, self.address_replacement, text, flags=re.IGNORECASE)
        return text


def rewrite_table(lake: Lake, table: str, replacing: Replacing, *, change: str, at: datetime) -> int:
    """Rewrite the files of a table that hold anything of the person, as one commit; returns how many rows changed.

    Raises:
        StorageError: The disk or store cannot be written. The table is unchanged.
    """
    changed = 0
    with tempfile.TemporaryDirectory() as folder:
        replacements: dict[str, Path] = {}
        for number, file in enumerate(lake.local_files(table)):
            rewritten = Path(folder) / f"{number}.parquet"
            if rows := _rewrite_file(table, file, rewritten, replacing):
                replacements[Path(file).name] = rewritten
                changed += rows
        if replacements:
            replace_files(lake, table, replacements, change=change, at=at)
    return changed


def _rewrite_file(table: str, file: str, rewritten: Path, replacing: Replacing) -> int:
    schema, personal = pq.read_schema(file), replacing.personal
    texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    new = {name: _new_value(table, name, texts, personal) for name in texts if name not in RESERVED_COLUMNS}
    if not new:
        return 0
    marked = f"(select *, {_is_the_persons(table, texts, personal)} as {_HERS} from rows)"
    differs = " or ".join(f"{value} is distinct from {quoted(name)}" for name, value in new.items())
    selected = ", ".join(f"{new.get(name, quoted(name))} as {quoted(name)}" for name in schema.names)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.create_function(
            "empty_parties", replacing.empty_parties, ["VARCHAR"], "VARCHAR", null_handling=FunctionNullHandling.SPECIAL
        )
        connection.register("rows", connection.read_parquet(file, hive_partitioning=False))
        counting = f"select count(*) from {marked} where {differs}"
        count = int(connection.sql(counting, params=_used(counting, replacing)).to_arrow_table().column(0)[0].as_py())
        if count:
            writing = f"select {selected} from {marked}"
            with pq.ParquetWriter(rewritten, schema, compression="snappy") as writer:
                for batch in connection.sql(writing, params=_used(writing, replacing)).to_arrow_reader(65_536):
                    writer.write_batch(batch.cast(schema))
    return count


def _used(sql: str, replacing: Replacing) -> dict[str, object]:
    """The parameters that a statement names: DuckDB refuses any others."""
    return {name: value for name, value in replacing.parameters.items() if re.search(rf"\${name}\b", sql)}


def _is_the_persons(table: str, texts: list[str], personal: PersonalData) -> str:
    """SQL: whether a row is the person's own, or about them."""
    columns = [name for name in texts if name not in RESERVED_COLUMNS]
    if table in personal.people:
        kind = personal.people[table]
        return own_rows(kind, columns) if kind.key in columns else "false"
    if table in personal.about_people:
        named = [
            f"list_contains($ids::varchar[], {quoted(name)})"
            for name in personal.about_people[table]
            if name in columns
        ]
        return f"coalesce({' or '.join(named) or 'false'}, false)"
    if table.startswith(personal.messages):
        related = (
            [f"list_contains($ids::varchar[], {quoted(personal.message_record)})"]
            if personal.message_record in columns
            else []
        )
        text = f"regexp_matches(concat_ws(' ', {', '.join(map(quoted, columns))}), $address_pattern, 'i')"
        return f"coalesce({' or '.join([text, *related])}, false)"
    if table.startswith(personal.calls):
        numbers = [
            f"list_contains($phones::varchar[], {phone_tail_sql(name)})"
            for name in columns
            if personal.may_hold_phone(table, name)
        ]
        return f"coalesce({' or '.join(numbers) or 'false'}, false)"
    return "false"


def _new_value(table: str, column: str, texts: list[str], personal: PersonalData) -> str:
    """SQL: the new value of a column."""
    name = quoted(column)
    value = name
    if personal.may_hold_phone(table, column):
        value = f"case when list_contains($phones::varchar[], {phone_tail_sql(column)}) then null else {value} end"
    if table.startswith(personal.calls):  # the legs of a call, in JSON, name its parties again
        digits = f"regexp_replace({name}, '[^0-9]', '', 'g')"
        value = f"case when left({name}, 1) in ('{{', '[') and regexp_matches({digits}, $numbers_pattern) then empty_parties({name}) else {value} end"
    value = _replaced(value, f"contains(lower({name}), split_part($address, '@', 1))", "address")
    if table not in personal.staff and table not in personal.people:  # there the same name is somebody else's
        value = _replaced(value, f"regexp_matches({name}, $names_pattern, 'i')", "names")
    if column in personal.history_values and personal.history_field in texts and table in personal.about_people:
        field = quoted(personal.history_field)
        return f"case when {_HERS} and not regexp_full_match({field}, $kept_history) then null else {value} end"
    return value if personal.stays(table, column) else f"case when {_HERS} then null else {value} end"


def _replaced(value: str, may_occur: str, what: str) -> str:
    pattern, replacement = f"${what}_pattern", f"${what}_replacement"
    once = f"regexp_replace({value}, {pattern}, {replacement}, 'gi')"  # twice, for two that share a blank
    return f"case when {may_occur} then regexp_replace({once}, {pattern}, {replacement}, 'gi') else {value} end"
