"""SOQL semantics: names checked against the object, conditions checked against types, rows rendered by DuckDB.

DuckDB renders rows as JSON or CSV text, because a Python loop over 100,000 rows would be the slowest part of a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from simulation.servers.describe import ADDRESS_PARTS, Field
from simulation.servers.errors import SalesforceError
from simulation.servers.soql import Comparison, Condition, Junction, Literal, Name, Negation, Query
from simulation.servers.state import CompanyState, StateTable

_LITERAL_OF_TYPE = {
    "boolean": "boolean",
    "int": "number",
    "double": "number",
    "percent": "number",
    "currency": "number",
    "date": "date",
    "datetime": "dateTime",
}
_NUMERIC = ("double", "percent", "currency")
MOST_OFFSET = 2000


@dataclass(frozen=True)
class SalesforceObject:
    """An object as of the clock: its fields and the DuckDB table with its rows, sorted by Id."""

    name: str
    fields: dict[str, Field]
    table: StateTable


@dataclass(frozen=True)
class Selection:
    """A query compiled to the SQL after its SELECT list: `from … where … order by … limit …`, with parameters."""

    source: SalesforceObject
    fields: tuple[Field, ...]
    sql: str
    parameters: list[object]


def find_object(state: CompanyState, name: str) -> SalesforceObject:
    """The object with that name, ignoring case.

    Raises:
        KeyError: There is none.
    """
    spelled = {known.lower(): known for known in state.object_names()}[name.lower()]
    table = state.table(f"salesforce/{spelled}", key="Id", order='"Id"')
    return SalesforceObject(spelled, state.list_fields(spelled, table), table)


def select_rows(state: CompanyState, query: Query, with_deleted: bool) -> Selection:
    """Check the query against the object and compile everything after its SELECT list.

    Raises:
        SalesforceError: 400 INVALID_TYPE, INVALID_FIELD or MALFORMED_QUERY.
    """
    try:
        source = find_object(state, query.object_name.text)
    except KeyError:
        what = f"sObject type '{query.object_name.text}' is not supported. If you are attempting to use a custom object, be sure to append the '__c'"
        what += " after the entity name. Please reference your WSDL or the describe call for the appropriate names."
        raise SalesforceError.at("INVALID_TYPE", query.text, query.object_name.position, what) from None
    compiler = _Compiler(query, source)
    fields = tuple(compiler.find_field(name) for name in query.fields)
    repeated = next((name for at, name in enumerate(query.fields) if fields[at] in fields[:at]), None)
    if repeated is not None:
        raise SalesforceError.at(
            "MALFORMED_QUERY", query.text, repeated.position, f"duplicate field selected: {repeated.text}"
        )
    conditions = [compiler.compile(query.condition)] if query.condition else []
    if not with_deleted and "IsDeleted" in source.fields:
        conditions.append('not "IsDeleted"')
    sql = f"from {source.table.name}" + (f" where {' and '.join(conditions)}" if conditions else "")
    if query.order:
        keys = [compiler.compile_order(term.field, term.descending, term.nulls_last) for term in query.order]
        sql += " order by " + ", ".join([*keys, '"Id"'])
    if query.offset is not None and query.offset > MOST_OFFSET:
        raise SalesforceError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MOST_OFFSET}")
    for word, number in (("limit", query.limit), ("offset", query.offset)):
        sql += f" {word} {number}" if number is not None else ""
    return Selection(source, fields, sql, compiler.parameters)


def count_rows(state: CompanyState, selection: Selection) -> int:
    """The number of rows of the query."""
    row = state.cursor().execute(f"select count(*) from (select 1 {selection.sql})", selection.parameters).fetchone()
    return int(row[0]) if row else 0


def render_json(state: CompanyState, selection: Selection, base: str) -> list[str]:
    """The rows as JSON objects with `attributes`, one text each, with values formatted as in the REST API."""
    attributes = (
        f"json_object('type', '{selection.source.name}', 'url', '{base}/sobjects/{selection.source.name}/' || \"Id\")"
    )
    pairs = [f"'attributes', {attributes}", *(f"'{field.name}', {_json_value(field)}" for field in selection.fields)]
    rows = (
        state.cursor()
        .execute(f"select json_object({', '.join(pairs)}) {selection.sql}", selection.parameters)
        .fetchall()
    )
    return [text for (text,) in rows]


def render_csv(state: CompanyState, selection: Selection, delimiter: str, line_end: str) -> Iterator[pa.Array]:
    """The rows as CSV lines with line endings, batch by batch, as in Bulk API 2.0: all values quoted, NULL as `""`."""
    glue = f"""'"{delimiter}"'"""
    # concat writes a line once and skips NULL; a chain of || would copy the line for every value.
    line = f", {glue}, ".join(_csv_value(field) for field in selection.fields)
    sql = f"""select concat('"', {line}, '"', ?) {selection.sql}"""
    for batch in state.cursor().sql(sql, params=[line_end, *selection.parameters]).to_arrow_reader(100_000):
        if batch.num_rows:
            yield batch.column(0).cast(pa.large_string())


def _json_value(field: Field) -> str:
    column = f'"{field.name}"'
    if field.type == "address":
        country = f'"{field.country_column}"'
        parts = ", ".join(f"'{part}', {country if part == 'country' else 'null'}" for part in ADDRESS_PARTS)
        return f"case when {country} is not null then json_object({parts}) end"
    if field.type == "datetime":
        return f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%g+0000')"
    return f"{column}::double" if field.type in _NUMERIC else column


def _csv_value(field: Field) -> str:
    text = text_value(field)
    is_free = field.type not in _LITERAL_OF_TYPE
    return f"""replace({text}, '"', '""')""" if is_free else text


def text_value(field: Field) -> str:
    """SQL that formats a field's value as Bulk API 2.0 does, unquoted."""
    column = f'"{field.name}"'
    if field.type == "datetime":
        return f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%gZ')"
    if field.type in _NUMERIC:
        # Padding zeros are dropped: 35000.00 is written 35000.0, 12.50 is 12.5.
        text = f"case when contains({column}::varchar, '.') then {column}::varchar else {column}::varchar || '.0' end"
        return rf"regexp_replace({text}, '(\.\d+?)0*$', '\1')"
    if field.type in ("boolean", "int", "date"):
        return f"{column}::varchar"
    return column


class _Compiler:
    """Turns names and conditions of one query into SQL; collects parameters in placeholder order."""

    def __init__(self, query: Query, source: SalesforceObject) -> None:
        self.query = query
        self.source = source
        self.parameters: list[object] = []
        self.spelled = {name.lower(): field for name, field in source.fields.items()}

    def refuse(self, name: Name, message: str) -> SalesforceError:
        return SalesforceError.at("INVALID_FIELD", self.query.text, name.position, message)

    def find_field(self, name: Name) -> Field:
        field = self.spelled.get(name.text.lower())
        if field is None:
            what = f"No such column '{name.text}' on entity '{self.source.name}'. If you are attempting to use a custom field, be sure to append the"
            raise self.refuse(
                name,
                what
                + " '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
            )
        return field

    def find_scalar(self, name: Name, action: str) -> Field:
        field = self.find_field(name)
        if field.type == "address":
            raise self.refuse(name, f"field '{field.name}' can not be {action} in a query call")
        return field

    def compile_order(self, name: Name, descending: bool, nulls_last: bool) -> str:
        field = self.find_scalar(name, "sorted")
        key = f'lower("{field.name}")' if self.is_text(field) else f'"{field.name}"'
        return f"{key} {'desc' if descending else 'asc'} nulls {'last' if nulls_last else 'first'}"

    def compile(self, condition: Condition) -> str:
        if isinstance(condition, Junction):
            return "(" + f" {condition.word} ".join(self.compile(part) for part in condition.parts) + ")"
        if isinstance(condition, Negation):
            return f"(not coalesce({self.compile(condition.part)}, false))"
        return self.compile_comparison(condition)

    def compile_comparison(self, comparison: Comparison) -> str:
        field = self.find_scalar(comparison.field, "filtered")
        for value in comparison.values:
            self.check_type(field, comparison, value)
        column, marks = self.operands(field, comparison.values)
        if comparison.operator in ("in", "not in"):
            listed = f"coalesce({column} in ({', '.join(marks)}), false)"
            return listed if comparison.operator == "in" else f"(not {listed})"
        if comparison.operator == "like":
            return f"{column} like {marks[0]} escape '\\'"
        # In SOQL a NULL does differ from 'x': != keeps the row.
        operator = {"=": "is not distinct from", "!=": "is distinct from"}.get(comparison.operator, comparison.operator)
        return f"{column} {operator} {marks[0]}"

    def operands(self, field: Field, values: tuple[Literal, ...]) -> tuple[str, list[str]]:
        """The column and a placeholder per value: text ignores case, ids match exactly, by 15 or 18 characters."""
        self.parameters.extend(value.value for value in values)
        if field.type in ("id", "reference"):
            is_short = any(isinstance(value.value, str) and len(value.value) == 15 for value in values)
            return (
                (f'left("{field.name}", 15)', ["left(?, 15)"] * len(values))
                if is_short
                else (f'"{field.name}"', ["?"] * len(values))
            )
        if self.is_text(field):
            return f'lower("{field.name}")', ["lower(?)"] * len(values)
        return f'"{field.name}"', ["?"] * len(values)

    def check_type(self, field: Field, comparison: Comparison, value: Literal) -> None:
        wanted = _LITERAL_OF_TYPE.get(field.type, "string")
        if comparison.operator == "like" and (wanted != "string" or value.kind != "string"):
            raise self.refuse(comparison.field, f"invalid operator on {field.type} field")
        if value.kind not in (wanted, "null"):
            spelled = {"number": field.type}.get(wanted, wanted)
            quotes = "should be enclosed in quotes" if wanted == "string" else "should not be enclosed in quotes"
            raise self.refuse(
                comparison.field,
                f"value of filter criterion for field '{field.name}' must be of type {spelled} and {quotes}",
            )

    @staticmethod
    def is_text(field: Field) -> bool:
        return field.type not in _LITERAL_OF_TYPE and field.type not in ("id", "reference")
