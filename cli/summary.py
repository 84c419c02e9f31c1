"""The end of `salesops run`: rows per layer, headline KPIs, top of the leaderboard, output paths."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
from rich.console import Console
from rich.table import Table

from publishing.published_set import read_current_manifest
from storage.home import Home
from storage.lake import Lake
from storage.metric_registry import Metric, MetricRegistry, read_metrics
from storage.warehouse import open_published

if TYPE_CHECKING:
    from orchestration.embedded import RunOutcome


@dataclass(frozen=True)
class Headline:
    """A line of the KPI table: its label, its column of kpi_company_period, and its display format."""

    label: str
    column: str
    shown_as: str

    @classmethod
    def of(cls, metric: Metric) -> Headline:
        """A metric's line; durations show their median."""
        if metric.kind == "duration":
            return cls(f"{metric.label}, median {metric.unit}", f"{metric.name}_median", "count")
        return cls(metric.label, metric.name, {"currency": "money", "rate": "rate"}.get(metric.unit, "count"))


def headlines(registry: MetricRegistry) -> list[Headline]:
    """The metrics that the registry marks as headlines, in its order."""
    return [Headline.of(metric) for metric in registry.metrics if metric.headline]


def print_summary(console: Console, home: Home, lake: Lake, outcome: RunOutcome, *, seconds: float) -> None:
    """Print the contents of the published set."""
    manifest = read_current_manifest(home)
    if manifest is None:
        console.print("Nothing was published yet.")
        return
    if not outcome.built:
        console.print("Nothing new had landed and the business day is the same: the published set stays as it is.")
    _print_layers(console, lake, sum(manifest.row_counts.values()), len(manifest.row_counts))
    with open_published(home) as published:
        _print_headlines(console, published)
        _print_leaderboard(console, published)
        _print_data_errors(console, published)
    console.print(f"As of {manifest.as_of} UTC, in {seconds:.0f} s. Where things lie:")
    for what, path in (
        ("marts for BI (DuckDB)", home.published / "salesops.duckdb"),
        ("marts as Parquet", home.published / "parquet"),
        ("pay, for you alone", home.published / "current" / "restricted"),
        ("a question in SQL", 'salesops query "select …"'),
        ("lake (Delta)", lake.root),
        ("asset graph and runs", "salesops ui  (or: make ui)"),
    ):
        console.print(f"  {what:<24}{path}", soft_wrap=True)


def _print_layers(console: Console, lake: Lake, mart_rows: int, mart_count: int) -> None:
    counts = lake.count_rows()
    table = Table(title="Rows per layer", title_justify="left")
    for heading in ("layer", "tables", "rows"):
        table.add_column(heading, justify="left" if heading == "layer" else "right")
    table.add_row("lake", f"{len(counts)}", f"{sum(counts.values()):,}")
    table.add_row("marts", f"{mart_count}", f"{mart_rows:,}")
    console.print(table)


def _print_headlines(console: Console, published: duckdb.DuckDBPyConnection) -> None:
    shown_metrics = headlines(read_metrics())
    columns = ", ".join(f'"{headline.column}"' for headline in shown_metrics)
    recent = published.execute(
        f"select period_start, {columns} from kpi_company_period where period_grain = 'month' order by period_start desc nulls last limit 13"
    ).fetchall()
    shown = [row for row in reversed(recent) if any(row[1:])][-4:]
    if not shown:
        return
    table = Table(title="Headline KPIs, the last months", title_justify="left")
    table.add_column("KPI")
    for row in shown:
        table.add_column(f"{row[0]:%Y-%m}", justify="right")
    for position, headline in enumerate(shown_metrics, start=1):
        # A measure the source cannot supply (an export without calls) is left out, not shown as zero.
        if any(row[position] for row in shown):
            table.add_row(headline.label, *(_show(row[position], headline.shown_as) for row in shown))
    console.print(table)


def _print_leaderboard(console: Console, published: duckdb.DuckDBPyConnection) -> None:
    top = published.execute(
        """
        select board_name, period_start, rank, rep_name, metric_value
        from leaderboard
        where metric = 'bookings' and period_grain = 'month' and metric_value > 0
        qualify dense_rank() over (order by period_start desc nulls last, board_id) = 1
        order by rank, rep_name
        limit 5
        """
    ).fetchall()
    if not top:
        return
    table = Table(title=f"Leaderboard: {top[0][0]}, {top[0][1]:%Y-%m}", title_justify="left")
    for heading in ("rank", "rep", "bookings"):
        table.add_column(heading, justify="left" if heading == "rep" else "right")
    for _, _, rank, name, value in top:
        table.add_row(str(rank), str(name), _show(value, "money"))
    console.print(table)


def _print_data_errors(console: Console, published: duckdb.DuckDBPyConnection) -> None:
    """Count the records that cannot be right, by rule, with the values or records seen most and what to do."""
    # A value that several records share (a stage) stands for them; any other record is named itself.
    found = published.execute(
        """
        with by_value as (
            select record_type, rule, problem, remedy, stated_value, count(*) as record_count, min(record_id) as record_id
            from data_errors
            group by all
        ),
        named as (
            select
                *,
                case
                    when record_count > 1 and stated_value is not null then concat(stated_value, ' (', record_count, ')')
                    else concat_ws(': ', record_id, stated_value)
                end as example
            from by_value
        )
        select
            record_type,
            sum(record_count),
            problem,
            string_agg(example, ', ' order by record_count desc, example) filter (where place <= 3),
            remedy
        from (select *, row_number() over (partition by record_type, rule order by record_count desc, example) as place from named)
        group by record_type, rule, problem, remedy
        order by 2 desc, record_type, rule
        """
    ).fetchall()
    if not found:
        return
    table = Table(title="Data errors (mart data_errors)", title_justify="left")
    for heading in ("records", "what is wrong", "for example", "what to do"):
        table.add_column(heading, justify="right" if heading == "records" else "left", overflow="fold")
    for record_type, count, *texts in found:
        table.add_row(f"{count:,} {record_type}", *texts)
    console.print(table)


def _show(value: Decimal | float | int | None, kind: str) -> str:
    if value is None:
        return "–"
    return {"count": f"{value:,.0f}", "money": f"{value:,.2f}", "rate": f"{value:.1%}"}[kind]
