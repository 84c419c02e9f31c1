"""How a load of a lake table shows in Dagster: its asset, its contract as a check, its counts and notices.

What belongs here: what every source's assets share. What does not: which tables a source lands.
"""

from collections.abc import Iterable, Iterator, Sequence

import dagster as dg

from ingestion.contracts import Violation
from ingestion.errors import ContractBroken, IngestionError
from ingestion.landing import LandingReport

OWNERS = ["team:data-engineering"]
CONTRACT = "contract"
NOTICE, UNDONE = (
    "notice",
    "undone",
)  # metadata of a load: what its notice is kept as, and whether it tells of something that was not done
NO_SOURCE = "no source configured"

Results = Iterator[dg.MaterializeResult[None]]
ResultsOrRefusals = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]


def make_specs(tables: Iterable[str], kind: str, description: str, deps: Iterable[str] = ()) -> list[dg.AssetSpec]:
    """One asset per lake table; `{table}` in the description is its name."""
    return [
        dg.AssetSpec(
            table,
            description=description.format(table=table),
            kinds={kind, "deltalake"},
            group_name="lake",
            owners=OWNERS,
            deps=list(deps),
        )
        for table in tables
    ]


def make_contracts(tables: Iterable[str]) -> list[dg.AssetCheckSpec]:
    """The contract of each table as an asset check."""
    return [
        dg.AssetCheckSpec(CONTRACT, asset=table, description="Rows of this load that broke no rule of their contract.")
        for table in tables
    ]


def report_load(report: LandingReport, *, with_check: bool = True) -> dg.MaterializeResult[None]:
    """One load as Dagster shows it: counts, cursor, and the contract as an asset check."""
    check = dg.AssetCheckResult(
        asset_key=report.table,
        check_name=CONTRACT,
        passed=report.set_aside == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "set_aside": report.set_aside,
            **_describe(report.violations),
            **{f"rule/{name}": count for name, count in report.rules.items()},
        },
    )
    return dg.MaterializeResult(
        asset_key=report.table,
        metadata=describe_load(report),
        check_results=[check] if with_check else [],
    )


def describe_load(report: LandingReport) -> dict[str, int | str]:
    """A load as metadata; `load` is its name for `salesops lake show`."""
    details = {"load": report.load_id, "cursor": report.cursor, NOTICE: report.notice}
    counts = {
        "landed": report.landed,
        "set_aside": report.set_aside,
        "unchanged": report.unchanged,
        "marked_deleted": report.vanished.tombstones,
    }
    return {
        **counts,
        **{name: text for name, text in details.items() if text},
        **({UNDONE: True} if report.is_undone else {}),
    }


def report_refusal(table: str, violations: Sequence[Violation]) -> dg.AssetCheckResult:
    """A load that was refused: its contract as a failed check that blocks."""
    return dg.AssetCheckResult(
        asset_key=table,
        check_name=CONTRACT,
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={**_describe(violations)},
    )


def report_failure(
    context: dg.AssetExecutionContext, table: str, error: IngestionError
) -> Iterator[dg.AssetCheckResult]:
    """A load that failed while the step goes on with the others: reported now, for what ends the step may be another error."""
    context.log.error(str(error))
    if isinstance(error, ContractBroken):
        yield report_refusal(table, error.violations)


def report_all(tables: Iterable[str], reports: Iterable[LandingReport], *, with_check: bool = True) -> Results:
    """Each table's load; a table that this run has no source for reports an empty one, so that what follows goes on."""
    by_table = {report.table: report for report in reports}
    for table in tables:
        yield report_load(by_table.get(table, LandingReport(table, notice=NO_SOURCE)), with_check=with_check)


def _describe(violations: Sequence[Violation]) -> dict[str, dg.MetadataValue]:
    """Broken rules with counts and samples. Samples are shapes of values (`99-aaa`), which name nobody."""
    if not violations:
        return {}
    lines = ["| rule | severity | rows | values look like |", "|---|---|---|---|"]
    for violation in violations:
        samples = ", ".join(f"`{sample}`" for sample in violation.samples).replace("|", "\\|")
        lines.append(f"| {violation.rule} | {violation.severity} | {violation.count} | {samples} |")
    return {"broken": dg.MetadataValue.md("\n".join(lines))}
