"""Generate the committed files that follow from the metric registry; `make generate` writes them.

What belongs here: the text of generated files. What does not: defining metrics (`storage.metric_registry`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from storage.generated_files import run_generator
from storage.metric_registry import ENTITIES, GRAINS, Metric, MetricRegistry, find_names, read_metrics

_DBT = Path("dbt_project")
MACRO = _DBT / "macros" / "metric_registry.sql"
PERIOD_MARTS = _DBT / "models" / "metrics" / "_kpi_period__models.yml"
SEMANTIC_LAYER = _DBT / "models" / "metrics" / "_metrics__semantic.yml"
PAGE = Path("docs/metrics.md")

_LINE = 150
_WARNING = "Written by `make generate` from dbt_project/metrics.yml: edit that."
_KEY_DESCRIPTIONS = {
    "rep_id": "Person who held the role at the event.",
    "team_id": "Team of the rep at the event.",
    "territory_id": "Territory of the rep at the event.",
}
_PERIOD_COLUMNS = (
    ("period_grain", "string", "day, week (ISO, Monday), month, quarter (fiscal) or year (fiscal)."),
    ("period_start", "date", "First day."),
    ("period_end", "date", "Last day."),
    ("is_complete", "boolean", "The period ended before the as-of day."),
)
_KINDS = {
    "additive": ("Sums", "They add up over reps, teams and days."),
    "ratio": (
        "Ratios",
        "`<name>_numerator` and `<name>_denominator` stand beside each: add those up, never the ratio.",
    ),
    "duration": ("Durations", "Each is `<name>_mean`, `<name>_median` and `<name>_count`."),
    "position": ("Positions", "As they stand at one instant; they do not add up over days."),
    "derived": ("Derived", "Computed from other columns."),
    "setting": ("Settings", "Shown beside the figures that they decide."),
}


def generated_files(registry: MetricRegistry) -> dict[Path, str]:
    """Path below the project root → text, of every generated file."""
    return {
        MACRO: write_macro(registry),
        PERIOD_MARTS: write_period_marts(registry),
        SEMANTIC_LAYER: write_semantic_layer(registry),
        PAGE: write_page(registry),
    }


def write_macro(registry: MetricRegistry) -> str:
    """The registry as a literal for models to loop over. dbt's unit tests lack `graph`; parsing cannot read files."""
    events = [
        {
            "name": name,
            "model": event.model,
            "date": event.date,
            "where": event.where,
            "measures": [
                {
                    "name": each.name,
                    "where": each.where,
                    "sum": each.sum or "1",
                    "type": each.sql_type,
                    "if_none": _sql(each.if_none),
                    "needs": list(registry.needs(each)),
                }
                for each in registry.of_event(name, "additive")
            ],
            "durations": [
                {"name": each.name, "where": each.where, "value": each.value}
                for each in registry.of_event(name, "duration")
            ],
        }
        for name, event in registry.events.items()
    ]
    inputs: dict[str, list[dict[str, str]]] = {}
    for name, given in registry.inputs.items():
        inputs.setdefault(given.model, []).append({"name": name, "if_none": _sql(given.if_none)})
    content = {
        "events": events,
        "inputs": inputs,
        "grains": {metric.name: list(metric.grains) for metric in registry.metrics if metric.grains != GRAINS},
        "columns": [{"name": column.name, "sql": column.sql} for column in registry.columns()],
        "needs": {metric.name: list(registry.needs(metric)) for metric in registry.metrics},
        "rankable": [metric.name for metric in registry.metrics if metric.rankable],
    }
    return f"{{#- {_WARNING} -#}}\n{{% macro metric_registry() -%}}\n{{{{ return({_to_literal(content)}) }}}}\n{{%- endmacro %}}\n"


def write_period_marts(registry: MetricRegistry) -> str:
    """dbt's YAML of the period marts: typed columns, so that contracts are enforced, and descriptions."""
    models = []
    for entity, key in ENTITIES.items():
        columns = [{"name": key, "data_type": "string", "description": _KEY_DESCRIPTIONS[key]}] if key else []
        columns += [{"name": name, "data_type": kind, "description": text} for name, kind, text in _PERIOD_COLUMNS]
        columns += [
            {"name": each.name, "data_type": each.type, "description": each.description} for each in registry.columns()
        ]
        whose = f"a {entity}" if key else "the whole company"
        models.append(
            {
                "name": f"kpi_{entity}_period",
                "description": f"All period metrics of {whose}. Rates are NULL where their denominator is 0. An entity has no row for a "
                "period in which nothing happened; a rep with a hire date has one for every business day employed. "
                f"Grain, one row per {f'{entity}, ' if key else ''}period grain and period.",
                "config": {"access": "public", "contract": {"enforced": True}, "meta": {"grain_views": list(GRAINS)}},
                "data_tests": [
                    {
                        "primary_key": {
                            "arguments": {"columns": [*([key] if key else []), "period_grain", "period_start"]}
                        }
                    }
                ],
                "columns": columns,
            }
        )
    return _to_yaml({"models": models})


def write_semantic_layer(registry: MetricRegistry) -> str:
    """MetricFlow's YAML of the metrics marked `semantic`: sums over the daily figures, and ratios of them.

    Raises:
        ValueError: A ratio is marked, but one of its parts is not.
    """
    chosen = [metric for metric in registry.metrics if metric.semantic]
    sums = {metric.name for metric in chosen if metric.kind == "additive"}
    metrics: list[dict[str, Any]] = []
    for metric in chosen:
        shown = {"name": metric.name, "label": metric.label, "description": metric.description}
        if metric.name in sums:
            metrics.append({**shown, "type": "simple", "type_params": {"measure": metric.name}})
            continue
        top, bottom = metric.numerator or "", metric.denominator or ""
        parts = list(dict.fromkeys([*find_names(top), *find_names(bottom)]))
        if strangers := [name for name in parts if name not in sums]:
            raise ValueError(
                f"{metric.name} is marked semantic, but is computed from {', '.join(strangers)}, which is not"
            )
        divided = {"expr": f"({top}) / nullif({bottom}, 0)", "metrics": [{"name": name} for name in parts]}
        metrics.append({**shown, "type": "derived", "type_params": divided})
    daily = {
        "name": "daily_figures",
        "description": "Sums per rep, team, territory and day, each for who held the role at the event.",
        "model": "ref('int_metrics__daily')",
        "defaults": {"agg_time_dimension": "date_day"},
        "primary_entity": "daily_figure",
        "entities": [{"name": name, "type": "foreign", "expr": column} for name, column in ENTITIES.items() if column],
        "dimensions": [{"name": "date_day", "type": "time", "type_params": {"time_granularity": "day"}}],
        "measures": [
            {"name": metric.name, "agg": "sum", "description": metric.description}
            for metric in chosen
            if metric.name in sums
        ],
    }
    return _to_yaml({"semantic_models": [daily], "metrics": metrics})


def write_page(registry: MetricRegistry) -> str:
    """docs/metrics.md: every metric of the period marts, in one table per kind."""
    marts = ", ".join(f"`kpi_{entity}_period`" for entity in ENTITIES)
    lines = [
        "# Metrics",
        "",
        f"<!-- {_WARNING} -->",
        "",
        f"Every metric of the period marts, {marts}. The published file has a view per grain of each, such as `kpi_rep_month`. A metric belongs to "
        "the person who held the role at the event, and to that person's team and territory then. Amounts are in the reporting currency.",
        "",
        "In the last column: B, a board may rank by it; P, a plan may pay for it; S, dbt's semantic layer has it, over `int_metrics__daily` of the "
        "warehouse. *Needs* names the kinds of sources without which it says nothing.",
    ]
    for kind, (title, text) in _KINDS.items():
        lines += ["", f"## {title}", "", text, "", "| metric | what it is | from | needs | |", "|---|---|---|---|---|"]
        lines += [_row(registry, metric) for metric in registry.metrics if metric.kind == kind]
    return "\n".join(lines) + "\n"


def _row(registry: MetricRegistry, metric: Metric) -> str:
    where = "" if metric.where == "true" else f" where `{metric.where}`"
    source = {
        "additive": f"{metric.event}: {f'sum of `{metric.sum}`' if metric.sum else 'rows'}{where}",
        "duration": f"{metric.event}: `{metric.value}`{where}",
        "ratio": f"`{metric.numerator}` ÷ `{metric.denominator}`",
        "derived": f"`{metric.expression}`",
    }.get(metric.kind, "")
    marks = "".join(
        mark for mark, is_set in (("B", metric.rankable), ("P", metric.payable), ("S", metric.semantic)) if is_set
    )
    only = f" Only per {', '.join(metric.grains)}." if metric.grains != GRAINS else ""
    text = f"**{metric.label}**, {metric.unit}. {metric.description}{only}"
    return f"| `{metric.name}` | {text} | {source} | {', '.join(registry.needs(metric))} | {marks} |"


def _to_literal(value: Any, indent: str = "") -> str:
    """A value in the common syntax of Jinja and JSON; each part that fits is on one line."""
    line = json.dumps(value)
    if len(indent) + len(line) <= _LINE or not isinstance(value, dict | list):
        return line
    inner = indent + "    "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_to_literal(part, inner)}" for key, part in value.items()]
    else:
        parts = [_to_literal(part, inner) for part in value]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return f"{opening}\n" + ",\n".join(inner + part for part in parts) + f"\n{indent}{closing}"


def _sql(value: int | None) -> str:
    return "null" if value is None else str(value)


class _Dumper(yaml.SafeDumper):
    """YAML as people write it: list items are indented below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _to_yaml(content: dict[str, Any]) -> str:
    return f"# {_WARNING}\n" + yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=150)


if __name__ == "__main__":
    run_generator(generated_files(read_metrics()))
