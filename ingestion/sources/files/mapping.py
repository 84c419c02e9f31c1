"""The format of a mapping file: which files an export has, and which of their columns fill which canonical object."""

from __future__ import annotations

import re
from datetime import tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, Field, PrivateAttr, field_validator, model_validator

from ingestion.settings.models import Name, SettingsOverrides, TimeZoneName
from ingestion.sources.files.canonical import CANONICAL_OBJECTS, CURRENCY_OF, EXTRA_PREFIX, Kind
from ingestion.sources.files.durations import DURATION_FORMATS, Unit
from ingestion.sources.files.layout import FileFormat
from ingestion.sources.files.normalise import text_normaliser
from ingestion.sources.files.numbers import Grouping, Negative, NumberStyle, Percent
from ingestion.sources.files.times import DATE_WORDS, check_zone, read_zone
from ingestion.sources.phone_numbers import is_region
from storage.operator_files import OperatorModel, Problem, read_file

NormalisationStep = Literal["strip", "collapse_spaces", "casefold", "upper", "nfkc"]
OneCharacter = Annotated[str, Field(min_length=1, max_length=1)]
Mark = Annotated[
    str, Field(pattern=r"^[^0-9A-Za-z+%()\-]$", description="one character that is no digit, letter or sign")
]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="three capital letters")]
ZoneMeaning = Annotated[str, AfterValidator(check_zone)]

_TEMPLATE_PART = re.compile(r"(?P<literal>(?:[^{}]|\{\{|\}\})*)(?:\{(?P<name>[^{}]+)\})?")


def split_template(template: str) -> list[tuple[str, str | None]]:
    """A template's literal texts, each with the column that follows it; doubled braces stand for themselves.

    >>> split_template("{Product: name} #{Nr}{{x}}")
    [('', 'Product: name'), (' #', 'Nr'), ('{x}', None)]
    """
    parts, at = [], 0
    while at < len(template):
        found = _TEMPLATE_PART.match(template, at)
        if not found or found.end() == at:
            raise ValueError(f"template '{template}' has a brace that is not closed; write {{{{ for a brace itself")
        parts.append((found["literal"].replace("{{", "{").replace("}}", "}"), found["name"]))
        at = found.end()
    return parts


class FileMapping(OperatorModel):
    """One file of the export and how it is written."""

    path: Name
    format: Literal["csv", "parquet", "spreadsheet"] | None = None
    delimiter: OneCharacter | None = None
    quote: OneCharacter = '"'
    encoding: Name = "utf-8"
    blank_values: tuple[str, ...] = ("",)
    columns: tuple[Name, ...] = ()
    timezone: TimeZoneName | None = None
    sheet: Name | None = None
    skip_lines: Annotated[int, Field(ge=0)] = 0
    skip_last_lines: Annotated[int | None, Field(ge=0)] = None
    ends_before: tuple[Name, ...] = ()
    leave_out_rows: tuple[Name, ...] = ()

    @field_validator("columns")
    @classmethod
    def _named_once(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if repeated := [name for name in columns if columns.count(name) > 1]:
            raise ValueError(f"'{repeated[0]}' is named more than once")
        return columns

    @field_validator("delimiter", mode="before")
    @classmethod
    def _tab_by_name(cls, value: object) -> object:
        return "\t" if value in ("tab", "\\t") else value

    @property
    def file_format(self) -> FileFormat:
        """The part of it that the reader needs."""
        return FileFormat(
            kind=self.format,
            delimiter=self.delimiter,
            quote=self.quote,
            encoding=self.encoding,
            blank_values=("", *self.blank_values),
            columns=self.columns,
            sheet=self.sheet,
            skip_lines=self.skip_lines,
            skip_last_lines=self.skip_last_lines,
            ends_before=self.ends_before,
            leave_out_rows=self.leave_out_rows,
            is_export=True,
        )


class ColumnMapping(OperatorModel):
    """Where one canonical column comes from, and how its text is converted to canonical form."""

    source: Annotated[str | None, Field(alias="from")] = None
    constant: str | None = None
    template: str | None = None
    concat: tuple[Name, ...] = ()
    separator: str = " "
    type: Kind | None = None
    format: Name | None = None
    timezone: TimeZoneName | None = None
    not_before: Name | None = None
    decimal_mark: Mark = "."
    thousands_mark: Mark | None = None
    grouping: Grouping = "thousands"
    negative: Negative = "minus"
    currency_signs: dict[Name, CurrencyCode] = Field(default_factory=dict)
    percent: Percent | None = None
    unit: Unit | None = None
    multiply: Decimal | None = None
    normalise: tuple[NormalisationStep, ...] = ()
    aliases: str | dict[Name, Name] | None = None

    @model_validator(mode="after")
    def _has_one_origin(self) -> ColumnMapping:
        given = [self.source is not None, self.constant is not None, self.template is not None, bool(self.concat)]
        if sum(given) != 1:
            raise ValueError("give exactly one of from, constant, template, concat")
        if self.decimal_mark == self.thousands_mark:
            raise ValueError("decimal_mark and thousands_mark are the same character")
        if self.template is not None:
            split_template(self.template)
        if self.format and "%I" in self.format and "%p" not in self.format:
            raise ValueError("format has %I, an hour from 1 to 12, without %p for AM or PM; of 24 hours it is %H")
        return self

    @property
    def number_style(self) -> NumberStyle:
        """How it writes its numbers."""
        return NumberStyle(
            self.decimal_mark,
            self.thousands_mark,
            self.grouping,
            self.negative,
            tuple(self.currency_signs),
            self.percent,
            self.multiply,
        )

    @property
    def references(self) -> tuple[str, ...]:
        """The source columns it reads, in order."""
        if self.source is not None:
            return (self.source,)
        if self.template is not None:
            return tuple(name for _, name in split_template(self.template) if name)
        return self.concat

    @property
    def is_reversible(self) -> bool:
        """Whether the source value can be recovered from the canonical one; if not, it is kept beside it."""
        changes = self.normalise, self.multiply, self.currency_signs, self.percent, self.unit
        return self.source is not None and self.aliases is None and not any(changes)


class JoinMapping(OperatorModel):
    """A second file whose columns are added where its key matches; every row of the first is kept, exactly once."""

    source: Name
    # Formerly `on`, which other YAML readers take for `true`.
    match: Annotated[dict[Name, Name], Field(min_length=1, validation_alias=AliasChoices("match", "on"))]


class DistinctMapping(OperatorModel):
    """The distinct values of one column, for an object that has no file in the export."""

    source: Name
    column: Name
    values: dict[Name, str] = Field(default_factory=dict)


class ObjectMapping(OperatorModel):
    """One canonical object: its rows come from one file (with joins), or from the distinct values of columns."""

    source: Name | None = None
    distinct: tuple[DistinctMapping, ...] = ()
    join: tuple[JoinMapping, ...] = ()
    repeated_rows: Literal["refuse", "once"] = "refuse"
    columns: dict[Name, ColumnMapping]

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, columns: object) -> object:
        if not isinstance(columns, dict):
            return columns
        return {name: {"from": value} if isinstance(value, str) else value for name, value in columns.items()}

    @model_validator(mode="after")
    def _has_one_origin(self) -> ObjectMapping:
        if (self.source is None) == (not self.distinct):
            raise ValueError("give either source or distinct")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the files it reads, each once."""
        named = [self.source] if self.source else [distinct.source for distinct in self.distinct]
        return tuple(dict.fromkeys([*named, *(join.source for join in self.join)]))


class Mapping(SettingsOverrides):
    """A mapping file. Its `org`, `stages`, `lead_statuses` and `holidays` sections apply to the home that uses it."""

    version: Literal["1"]
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$", description="lower snake case")]
    description: str = ""
    timezone: TimeZoneName = "UTC"
    zones: dict[Name, ZoneMeaning] = Field(default_factory=dict)
    phone_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="two capital letters")] = "US"
    files: Annotated[dict[Name, FileMapping], Field(min_length=1)]
    aliases: dict[Name, dict[Name, Name]] = Field(default_factory=dict)
    objects: Annotated[dict[Name, ObjectMapping], Field(min_length=1)]
    _path: Path = PrivateAttr(default=Path())
    _sha256: str = PrivateAttr(default="")
    _notices: tuple[Problem, ...] = PrivateAttr(default=())

    @model_validator(mode="before")
    @classmethod
    def _file_short_form(cls, content: Any) -> Any:
        if isinstance(content, dict) and isinstance(content.get("files"), dict):
            files = {
                name: {"path": value} if isinstance(value, str) else value for name, value in content["files"].items()
            }
            return content | {"files": files}
        return content

    @field_validator("phone_region")
    @classmethod
    def _region_is_known(cls, region: str) -> str:
        if not is_region(region):
            raise ValueError(f"'{region}' is no country that phone numbers are known of")
        return region

    @model_validator(mode="after")
    def _names_fit_together(self) -> Mapping:
        for table, mapped in self.objects.items():
            if table not in CANONICAL_OBJECTS:
                raise ValueError(f"objects.{table} is no canonical object; there are {', '.join(CANONICAL_OBJECTS)}")
            canonical = CANONICAL_OBJECTS[table]
            if canonical.key not in mapped.columns:
                raise ValueError(f"objects.{table}.columns lacks the key {canonical.key}")
            for source in mapped.sources:
                if source not in self.files:
                    raise ValueError(
                        f"objects.{table} reads '{source}', which is not under files; there are {', '.join(self.files)}"
                    )
            for name, column in mapped.columns.items():
                self._check_column(table, name, column)
        return self

    def _check_column(self, table: str, name: str, column: ColumnMapping) -> None:
        where = f"objects.{table}.columns.{name}"
        known = CANONICAL_OBJECTS[table].columns
        if name not in known and not name.startswith(EXTRA_PREFIX):
            raise ValueError(
                f"{where} is no column of it; there are {', '.join(known)}, and names of your own that begin with {EXTRA_PREFIX}"
            )
        if name in known and column.type is not None:
            raise ValueError(f"{where}.type cannot be set: it is {known[name]}")
        kind = self.kind_of(table, name)
        if kind == "duration" and column.format and column.format not in DURATION_FORMATS:
            raise ValueError(f"{where}.format: durations are written {', '.join(DURATION_FORMATS)}")
        if (
            kind in ("date", "timestamp")
            and column.format
            and "%" not in column.format
            and column.format not in DATE_WORDS
        ):
            raise ValueError(
                f"{where}.format '{column.format}' has no directive such as %d; words are {', '.join(DATE_WORDS)}"
            )
        if len(set(column.currency_signs.values())) > 1 and (table, name) not in CURRENCY_OF:
            raise ValueError(f"{where}.currency_signs names several currencies, but no column says which one a row has")
        if isinstance(column.aliases, str) and column.aliases not in self.aliases:
            raise ValueError(f"{where}.aliases names the list '{column.aliases}', which is not under aliases")
        if column.not_before is not None:
            named = [name, *([column.not_before] if column.not_before in self.objects[table].columns else [])]
            if [self.kind_of(table, mapped) for mapped in named] != ["timestamp", "timestamp"]:
                raise ValueError(f"{where}.not_before: it and '{column.not_before}' must both be mapped timestamps")
        normalise = text_normaliser(column.normalise)
        stands_for = {normalise(alias): normalise(target) for alias, target in self.aliases_of(column).items()}
        for target in stands_for.values():
            if stands_for.get(target, target) != target:
                raise ValueError(f"{where}.aliases: '{target}' is both an alias and what an alias stands for")

    @property
    def path(self) -> Path:
        """The file it was loaded from."""
        return self._path

    @property
    def sha256(self) -> str:
        """SHA-256 of that file."""
        return self._sha256

    @property
    def notices(self) -> tuple[Problem, ...]:
        """Keys of that file that have been renamed since."""
        return self._notices

    @property
    def targets(self) -> tuple[str, ...]:
        """The lake tables it fills, in the order of the file."""
        return tuple(self.objects)

    def kind_of(self, table: str, name: str) -> Kind:
        """What kind of text a column of an object holds."""
        return CANONICAL_OBJECTS[table].columns.get(name) or self.objects[table].columns[name].type or "text"

    @property
    def zone_meanings(self) -> dict[str, tzinfo]:
        """What `zones` says that zone names mean."""
        return {name: read_zone(meaning) for name, meaning in self.zones.items()}

    def aliases_of(self, column: ColumnMapping) -> dict[str, str]:
        """A column's aliases, whether given inline or by the name of a list."""
        return self.aliases[column.aliases] if isinstance(column.aliases, str) else column.aliases or {}


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises:
        OperatorFileError: The file is missing, not YAML, or contradicts itself; the message names the key.
    """
    file = read_file(path, Mapping, reference="docs/mapping-files.md lists every key.", defaults={"name": path.stem})
    file.content._path, file.content._sha256, file.content._notices = path, file.sha256, file.notices
    return file.content
