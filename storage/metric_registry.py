"""The metrics: `dbt_project/metrics.yml`, read and checked.

What belongs here: the declaration of a metric and what follows from it (columns, types). What does not: computing one, which is SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from storage.errors import SettingsError
from storage.settings import PROJECT_ROOT

METRICS_FILE = PROJECT_ROOT / "dbt_project" / "metrics.yml"

Kind = Literal["additive", "ratio", "duration", "position", "derived", "setting"]
Unit = Literal["count", "currency", "seconds", "minutes", "days", "rate", "ratio", "number"]
Grain = Literal["day", "week", "month", "quarter", "year"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
GRAINS: tuple[Grain, ...] = ("day", "week", "month", "quarter", "year")
# Each entity's mart and the column that names it; the company needs none.
ENTITIES: Mapping[str, str | None] = {"rep": "rep_id", "team": "team_id", "territory": "territory_id", "company": None}

INTEGER, MONEY, FLOAT = "bigint", "decimal(28, 2)", "double"
_TYPES: Mapping[Unit, str] = {"currency": MONEY, "rate": FLOAT, "ratio": FLOAT, "number": FLOAT}
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
_SQL_WORDS = frozenset(
    {"case", "when", "then", "else", "end", "is", "not", "null", "and", "or", "cast", "as", "double", "nullif"}
)

# Every command that knows plans or boards reads the file at its start: 6 ms with libyaml, 61 ms without.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Event(_Strict):
    """Something that happens, and where it is read from.

    Attributes:
        model: dbt model with one row per occurrence, and `rep_id`, `team_id`, `territory_id` as they were then.
        date: Its column with the business day.
        where: Which of its rows count.
        needs: Kinds of sources without which there is nothing to count.
    """

    model: Name
    date: Name
    where: str = "true"
    needs: tuple[str, ...] = Field(min_length=1)


class Input(_Strict):
    """A figure per entity and period that metrics are computed from, though it does not add up over days.

    Attributes:
        model: dbt model with one row per entity and period in which there is something to say.
        unit: Its unit.
        if_none: Its value where the model has no row, from the first day of the pipeline on; NULL if unset.
    """

    model: Name
    unit: Unit
    if_none: int | None = None


class Metric(_Strict):
    """One metric.

    Attributes:
        name: Name of its column. A ratio also has `<name>_numerator` and `<name>_denominator`; a duration has `_mean`,
            `_median` and `_count` instead.
        label: Display name.
        description: What it counts, for whom, and when it is NULL.
        kind: `additive` sums rows of an event; `ratio` divides two sums of other metrics; `duration` is a mean and a
            median of an event's value; `position` is an input shown as it is; `derived` is an SQL expression over other
            columns; `setting` is a column of the run's context.
        unit: The unit of its value.
        type: SQL type, if the unit's would be wrong.
        event: Event of an additive metric or a duration.
        where: Which rows of the event count, in SQL over its columns.
        sum: Column to sum; without it, rows are counted.
        value: What a duration measures.
        counted: What a duration's count counts.
        numerator: Numerator of a ratio, in SQL over metrics and inputs.
        denominator: Denominator of a ratio, likewise.
        expression: SQL of a derived metric.
        grains: Periods in which it makes sense; NULL in others.
        if_none: Value of an additive metric if nothing happened.
        needs: Kinds of sources it needs, if they are not the event's.
        rankable: Whether a board may rank by it.
        payable: Whether a plan may pay for it.
        headline: Whether the command line shows it after a run.
        semantic: Whether the semantic layer offers it.
    """

    name: Name
    label: str
    description: str
    kind: Kind
    unit: Unit
    type: str | None = None
    event: Name | None = None
    where: str = "true"
    sum: Name | None = None
    value: Name | None = None
    counted: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    expression: str | None = None
    grains: tuple[Grain, ...] = GRAINS
    if_none: int | None = 0
    needs: tuple[str, ...] = ()
    rankable: bool = False
    payable: bool = False
    headline: bool = False
    semantic: bool = False

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        needed: Mapping[Kind, tuple[str, ...]] = {
            "additive": ("event",),
            "duration": ("event", "value", "counted"),
            "ratio": ("numerator", "denominator"),
            "derived": ("expression",),
        }
        for key in needed.get(self.kind, ()):
            if getattr(self, key) is None:
                raise ValueError(f"the metric {self.name} is of the kind {self.kind} and says no {key}")
        if self.kind != "additive" and (self.rankable or self.payable):
            raise ValueError(
                f"the metric {self.name} is no sum: a board cannot rank by it, and a plan cannot pay for it"
            )
        return self

    @property
    def sql_type(self) -> str:
        """SQL type of its value."""
        return self.type or _TYPES.get(self.unit, INTEGER)


class Column(_Strict):
    """A column of the period marts: its SQL over the metric models' columns, its type, and what it holds."""

    name: str
    type: str
    sql: str
    description: str
    metric: str


class MetricRegistry(_Strict):
    """Every metric, in the order of the marts' columns."""

    events: Mapping[Name, Event]
    inputs: Mapping[Name, Input]
    metrics: tuple[Metric, ...]

    @model_validator(mode="after")
    def _names_only_what_there_is(self) -> Self:
        names = [metric.name for metric in self.metrics]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"declared twice: {', '.join(sorted(repeated))}")
        known = self.types
        for metric in self.metrics:
            if metric.event is not None and metric.event not in self.events:
                raise ValueError(
                    f"the metric {metric.name} counts the event {metric.event}, which is not among the events"
                )
            if metric.kind == "position" and metric.name not in self.inputs:
                raise ValueError(f"the metric {metric.name} is a position and not among the inputs")
            for text in filter(None, (metric.numerator, metric.denominator, metric.expression)):
                if unknown := [name for name in find_names(text) if name not in known]:
                    raise ValueError(
                        f"the metric {metric.name} is computed from {', '.join(unknown)}, which nothing declares"
                    )
        return self

    @property
    def types(self) -> dict[str, str]:
        """Type of everything that an expression may name: inputs, additive metrics, and the columns of durations."""
        found = {name: _TYPES.get(given.unit, INTEGER) for name, given in self.inputs.items()}
        for metric in self.metrics:
            if metric.kind == "additive":
                found[metric.name] = metric.sql_type
            elif metric.kind == "duration":
                found |= {f"{metric.name}_mean": FLOAT, f"{metric.name}_median": FLOAT, f"{metric.name}_count": INTEGER}
        return found

    def of_event(self, event: str, kind: Kind) -> list[Metric]:
        """The metrics of one kind that are read from an event."""
        return [metric for metric in self.metrics if metric.event == event and metric.kind == kind]

    def needs(self, metric: Metric) -> tuple[str, ...]:
        """The kinds of sources without which a metric has no value."""
        if metric.needs or metric.event is not None:
            return metric.needs or self.events[metric.event or ""].needs
        texts = filter(None, (metric.numerator, metric.denominator, metric.expression))
        named = {name for text in texts for name in find_names(text)}
        return tuple(sorted({need for other in self.metrics if other.name in named for need in self.needs(other)}))

    def columns(self) -> Iterator[Column]:
        """The columns of the period marts, except those that name entity and period."""
        for metric in self.metrics:
            yield from self._columns_of(metric)

    def _columns_of(self, metric: Metric) -> Iterator[Column]:
        name, text = metric.name, metric.description
        if metric.kind == "ratio":
            parts = {"numerator": metric.numerator or "", "denominator": metric.denominator or ""}
            for part, sql in parts.items():
                kind = self._type_of(sql)
                yield Column(
                    name=f"{name}_{part}",
                    type=kind,
                    sql=f"cast({sql} as {kind})",
                    description=f"{part.capitalize()} of {name}.",
                    metric=name,
                )
            divided = f"cast({name}_numerator as double) / cast({name}_denominator as double)"
            condition = f"{name}_denominator > 0"
            if metric.unit == "rate" and self._is_money(metric.numerator or ""):
                # Amounts may be negative (a downsell): then there is no whole for this to be a share of.
                condition += f" and {name}_numerator between 0 and {name}_denominator"
            yield Column(
                name=name,
                type=FLOAT,
                sql=f"case when {condition} then {divided} end",
                description=text,
                metric=name,
            )
        elif metric.kind == "duration":
            for part, description in (
                ("mean", text),
                ("median", "Median of the same."),
                ("count", metric.counted or ""),
            ):
                sql = f"coalesce({name}_count, 0)" if part == "count" else f"{name}_{part}"
                kind = INTEGER if part == "count" else FLOAT
                yield Column(
                    name=f"{name}_{part}", type=kind, sql=f"cast({sql} as {kind})", description=description, metric=name
                )
        else:
            sql = f"cast({metric.expression or name} as {metric.sql_type})"
            yield Column(name=name, type=metric.sql_type, sql=sql, description=text, metric=name)

    def _is_money(self, expression: str) -> bool:
        units = {metric.name: metric.unit for metric in self.metrics}
        return any(units.get(name) == "currency" for name in find_names(expression))

    def _type_of(self, expression: str) -> str:
        found = {self.types[name] for name in find_names(expression)}
        return next((kind for kind in (FLOAT, MONEY) if kind in found), INTEGER)


def find_names(expression: str) -> list[str]:
    """The columns that an expression names.

    >>> find_names("60 * available_minutes"), find_names("case when rep_count is not null then bookings end")
    (['available_minutes'], ['rep_count', 'bookings'])
    """
    return [word for word in _IDENTIFIER.findall(expression) if word not in _SQL_WORDS]


@cache
def read_metrics(path: Path = METRICS_FILE) -> MetricRegistry:
    """Read the registry.

    Raises:
        SettingsError: The file cannot be read, or a declaration is wrong; the message names it.
    """
    try:
        content: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
        return MetricRegistry.model_validate(content)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        reason = (
            "; ".join(_explain(each) for each in error.errors()) if isinstance(error, ValidationError) else str(error)
        )
        raise SettingsError(
            f"The metrics cannot be read: {reason}",
            where=str(path),
            fix="Correct the declaration and run `make generate`.",
        ) from None


def _explain(problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])
