"""Look at an export that nobody has described, and write a first mapping of what is seen, with its evidence.

What belongs here: encoding, separator, header, footer, kinds, keys and date order of unknown files, and what only the
operator can say. What does not: reading by a mapping (`build`), and landing anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ingestion.sources.files.advice import list_readings
from ingestion.sources.files.canonical import CANONICAL_OBJECTS, Kind
from ingestion.sources.files.durations import to_duration_text
from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.files.flags import to_flag_text
from ingestion.sources.files.mapping import FileMapping
from ingestion.sources.files.numbers import to_decimal_text
from ingestion.sources.files.spreadsheet import SUFFIXES
from ingestion.sources.files.strict_csv import find_delimiter
from ingestion.sources.files.tabular import TabularFile, read_tabular

_TEXT_SUFFIXES = (".csv", ".txt", ".tsv")
_LINES_TRIED = 60
_REMEDIES_TRIED = 5
_VALUES_TRIED = 2000
_REMEDY = re.compile(r"`(skip_lines|skip_last_lines|sheet): ([^`]+)`")
# Words of a header, folded to letters, that say which canonical column it is. The first that fits wins.
_WORDS: dict[str, dict[str, str]] = {
    "files__opportunity": {
        "opportunity_id": r"(opportunity|deal|oppty?)(id|nr|no|number)|id|nr",
        "opportunity_name": r"(opportunity|deal)(name|title)?|title|name",
        "stage_name": r"(deal|sales)?stage(name)?",
        "amount": r"(deal)?(amount|value|revenue)|verdi|betrag",
        "currency": r"currency(isocode|code)?",
        "close_date": r"close(d)?(date|on)?|wondate|expectedclose(date)?",
        "created_at": r"created?(date|at|on|time)?",
        "owner_id": r"(opportunity|deal|account)?owner(id|name)?|(sales)?rep|selger|salesperson",
        "account_id": r"account(id|name)?|company|customer(id|name)?",
        "product_id": r"product(id|name|code)?",
    },
    "files__lead": {
        "lead_id": r"lead(id|nr|number)|id",
        "status": r"(lead)?status",
        "lead_source": r"(lead)?source",
        "company": r"company|organi[sz]ation",
        "created_at": r"created?(date|at|on|time)?",
        "owner_id": r"(lead)?owner(id|name)?",
    },
    "files__call": {
        "call_leg_id": r"(call)?(leg)?id|uniqueid|uuid",
        "direction": r"(call)?direction",
        "status": r"(call)?(status|result|disposition|outcome)",
        "from_number": r"from(number)?|caller(id|number)?|src",
        "to_number": r"to(number)?|called?(number)?|callee|dst",
        "user_id": r"agent|user(id)?|extension",
        "started_at": r"(call)?start(ed)?(at|time)?|datetime|calldate",
        "ended_at": r"(call)?end(ed)?(at|time)?",
        "talk_seconds": r"(call)?duration|talk(time|seconds)?|billsec",
    },
    "files__account": {
        "account_id": r"account(id|nr|number)?|id",
        "account_name": r"(account)?name|company",
        "industry": r"industry|sector",
        "employee_count": r"employees?(count)?|headcount",
        "annual_revenue": r"(annual)?revenue",
    },
}


@dataclass
class FileSurvey:
    """What was seen of one file.

    Attributes:
        path: The file.
        options: Its keys in the mapping.
        seen: What was seen, in sentences.
        questions: What only the operator can say.
        table: The canonical object that it seems to hold; None if its header says nothing of one.
        columns: Canonical column → its mapping.
        is_readable: Whether it could be read.
    """

    path: Path
    options: dict[str, Any] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    table: str | None = None
    columns: dict[str, Any] = field(default_factory=dict)
    is_readable: bool = True


def survey_folder(folder: Path) -> list[FileSurvey]:
    """Look at each file of a folder that could be part of an export, by name.

    Raises:
        FileUnreadable: The folder is missing, or no file in it could be part of an export.
    """
    endings = (*_TEXT_SUFFIXES, ".parquet", ".pq", *SUFFIXES)
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in endings) if folder.is_dir() else []
    if not paths:
        raise FileUnreadable(
            f"No file to look at in {folder}.",
            where=str(folder),
            fix=f"Name a folder with files that end in {', '.join(endings)}.",
        )
    return [survey_file(path) for path in paths]


def survey_file(path: Path) -> FileSurvey:
    """Look at one file. A file that cannot be read gives its error as a question."""
    found = FileSurvey(path)
    if path.suffix.lower() in _TEXT_SUFFIXES:
        _look_at_text(found)
    file = _read(found)
    if file is None:
        found.is_readable = False
        return found
    found.seen.append(f"{file.rows.num_rows} records, {file.rows.num_columns} columns. {file.notice}".strip())
    _look_at_columns(found, file)
    return found


def write_mapping(name: str, surveys: list[FileSurvey]) -> str:
    """A first mapping as YAML; what was seen, and what is to be answered, stand in its comments."""
    lines = ["# A first mapping. Answer each line that begins with '# ?'; docs/mapping-files.md explains every key."]
    lines += ["version: 1", f"name: {name}"]
    lines += [
        "timezone: UTC",
        "# ? Which zone are times in that do not name their own? Write it at timezone.",
        "files:",
    ]
    names = {id(survey): f"file{number}" for number, survey in enumerate(surveys, start=1)}
    for survey in surveys:
        lines += [f"  # {_comment(survey.path.name)}: {_comment(text)}" for text in survey.seen]
        lines += [f"  # ? {_comment(survey.path.name)}: {_comment(text)}" for text in survey.questions]
        lines.append(f"  {names[id(survey)]}: {_flow({'path': survey.path.name} | survey.options)}")
    lines.append("objects:")
    taken: set[str] = set()
    for survey in surveys:
        if survey.table is None or survey.table in taken:
            if survey.is_readable:
                lines.append(f"  # ? {_comment(survey.path.name)}: which object does it hold? None is mapped.")
            continue
        taken.add(survey.table)
        lines += [f"  {survey.table}:", f"    source: {names[id(survey)]}", "    columns:"]
        lines += [f"      {name}: {_flow(column)}" for name, column in survey.columns.items()]
    return "\n".join(lines) + "\n"


def _look_at_text(found: FileSurvey) -> None:
    content = found.path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        found.options["encoding"] = "utf-16"
        found.seen.append("UTF-16, by its byte order mark.")
    else:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            found.options["encoding"] = "cp1252"
            found.questions.append("It is not UTF-8. Are its letters right in cp1252? If not, name its `encoding`.")
    text = content.decode(found.options.get("encoding", "utf-8"), errors="replace").removeprefix("\ufeff")
    lines = text.splitlines()[:_LINES_TRIED]
    if lines and lines[0].strip('"').lower().startswith("sep="):
        found.seen.append("Its first line names the separator.")
        return
    best = find_delimiter(lines)
    if best.delimiter != ",":
        found.options["delimiter"] = "tab" if best.delimiter == "\t" else best.delimiter
    if best.lines:
        found.seen.append(
            f"{best.lines} of its first {len(lines)} lines have {best.fields} fields, separated by {best.delimiter!r}."
        )


def _read(found: FileSurvey) -> TabularFile | None:
    """Read the file, taking the remedies that its refusals name."""
    for _ in range(_REMEDIES_TRIED):
        try:
            file_format = FileMapping.model_validate({"path": found.path.name} | found.options).file_format
            return read_tabular(found.path, file_format)
        except FileUnreadable as error:
            remedy = _REMEDY.search(error.fix)
            if not remedy or remedy[1] in found.options:
                found.questions.append(f"{error.what} {error.fix}")
                return None
            found.options[remedy[1]] = remedy[2].strip('"') if remedy[1] == "sheet" else int(remedy[2])
            found.seen.append(error.what.split(" Nothing of")[0])
            found.questions.append(f"Is `{remedy[1]}: {found.options[remedy[1]]}` right?")
    return None


def _look_at_columns(found: FileSurvey, file: TabularFile) -> None:
    values = {name: file.rows.column(name).to_pylist() for name in file.rows.column_names}
    keys = [
        name for name, column in values.items() if column and None not in column and len(set(column)) == len(column)
    ]
    found.seen.append(f"Columns that could be its key: {', '.join(keys[:5]) or 'none'}.")
    scores = {
        table: [(canonical, name) for canonical, pattern in words.items() if (name := _named(pattern, list(values)))]
        for table, words in _WORDS.items()
    }
    table = max(scores, key=lambda name: len(scores[name]))
    if len(scores[table]) < 2:
        return
    key = CANONICAL_OBJECTS[table].key
    matched = dict(scores[table])
    if matched.get(key) not in keys:
        matched.pop(key, None)
        found.questions.append(
            f"What is the {key}, which names one record each? It is not mapped yet. See the columns that could be."
        )
    found.table = table
    for canonical in CANONICAL_OBJECTS[table].columns:
        if canonical in matched:
            kind = CANONICAL_OBJECTS[table].columns[canonical]
            distinct = list(dict.fromkeys(value for value in values[matched[canonical]] if value is not None))
            options, is_read = _look_at_values(found, matched[canonical], kind, distinct[:_VALUES_TRIED])
            if is_read:
                found.columns[canonical] = {"from": matched[canonical]} | options
    unread = [name for name in values if name not in matched.values()]
    if unread:
        found.seen.append(f"Not mapped, kept as extra columns: {', '.join(unread)}.")


def _look_at_values(found: FileSurvey, name: str, kind: Kind, values: list[str]) -> tuple[dict[str, Any], bool]:
    """The keys that read a column's values, and whether it can be mapped before a question is answered."""
    if kind in ("text", "phone") or not values:
        return {}, True
    if kind == "flag" and all(to_flag_text(value) for value in values):
        return {}, True
    if kind == "duration" and all(to_duration_text(value) for value in values):
        return {}, True
    if kind in ("decimal", "integer") and all(to_decimal_text(value) for value in values):
        pointed = [value for value in values if "." in value]
        if pointed and all(re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", value) for value in pointed):
            found.questions.append(f"'{name}': is the point in it a decimal point, or does it stand between thousands?")
        return {}, True
    readings = list_readings(kind, values)
    if len(readings) == 1:
        found.seen.append(
            f"'{name}' reads as {kind} only with {readings[0]}, in all of {len(values)} different values."
        )
        if "iso" in readings[0]:
            return {}, True
        options: dict[str, Any] = yaml.safe_load("{" + readings[0].strip("`") + "}")
        return options, True
    if readings:
        found.questions.append(f"'{name}': which is meant, {' or '.join(readings)}? Every value fits each.")
    else:
        found.questions.append(f"'{name}': not every value reads as {kind}. How is it written?")
    return {}, False


def _named(pattern: str, header: list[str]) -> str | None:
    for alternative in pattern.split("|") if "(" not in pattern else [pattern]:
        for name in header:
            if re.fullmatch(alternative, re.sub(r"[^a-z]", "", name.casefold())):
                return name
    return None


def _comment(text: str) -> str:
    return " ".join(text.split())


def _flow(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False).strip()
