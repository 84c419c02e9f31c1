"""How a load of a lake table appears in Dagster: its asset, its contract as a check, its counts and notices.

What belongs here: what the assets of every source share. What does not: which tables a source lands.
"""

from collections.abc import Iterable, Iterator, Sequence

import dagster as dg

from ingestion.contracts import Violation
from ingestion.errors import ContractBroken, IngestionError
from ingestion.landing import LandingReport

OWNERS = ["team:data-engineering"]
CONTRACT = "contract"
# Metadata keys of a load: its notice, and whether that notice is about something left undone.
NOTICE, UNDONE = ("notice", "undone")
# Metadata keys of a load: how many rows were set aside and why, and whether those were all of a file or object.
QUARANTINED, ALL_QUARANTINED = "quarantined", "all_quarantined"
WARNED = "warned"  # metadata `warned/<rule>`: rows landed although they break the rule
NO_SOURCE = "no source configured"

Results = Iterator[dg.MaterializeResult[None]]
ResultsOrRefusals = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]


def make_specs(tables: Iterable[str], kind: str, description: str, deps: Iterable[str] = ()) -> list[dg.AssetSpec]:
    """One asset per lake table; `{table}` in the description becomes its name."""
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
    """Report one load to Dagster: counts, cursor, and the contract as an asset check."""
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
    """Metadata of a load; `load` is its name for `salesops lake show`."""
    details = {
        "load": report.load_id,
        "cursor": report.cursor,
        NOTICE: report.notice,
        QUARANTINED: report.quarantine_notice,
    }
    counts = {
        "landed": report.landed,
        "set_aside": report.set_aside,
        "unchanged": report.unchanged,
        "marked_deleted": report.vanished.tombstones,
    }
    return {
        **counts,
        **{name: text for name, text in details.items() if text},
        **{
            f"{WARNED}/{each.rule}": f"{each.message} {each.fix}".strip()
            for each in report.violations
            if each.severity == "warn"
        },
        **({UNDONE: True} if report.is_undone else {}),
        **({ALL_QUARANTINED: True} if report.is_all_set_aside else {}),
    }


def report_refusal(table: str, violations: Sequence[Violation]) -> dg.AssetCheckResult:
    """Report a refused load: its contract as a failed, blocking check."""
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
    """Report a failed load at once while the step continues: the step itself may end with another error."""
    context.log.error(str(error))
    if isinstance(error, ContractBroken):
        yield report_refusal(table, error.violations)


def report_all(tables: Iterable[str], reports: Iterable[LandingReport], *, with_check: bool = True) -> Results:
    """Report each table's load. A table without a source reports an empty load, so that downstream steps continue."""
    by_table = {report.table: report for report in reports}
    for table in tables:
        yield report_load(by_table.get(table, LandingReport(table, notice=NO_SOURCE)), with_check=with_check)


def _describe(violations: Sequence[Violation]) -> dict[str, dg.MetadataValue]:
    """Broken rules with counts and samples.

    Samples show only the shape of a value (`99-aaa`), so they identify nobody.
    """
    if not violations:
        return {}
    lines = ["| rule | severity | rows | values look like |", "|---|---|---|---|"]
    for violation in violations:
        samples = ", ".join(f"`{sample}`" for sample in violation.samples).replace("|", "\\|")
        lines.append(f"| {violation.rule} | {violation.severity} | {violation.count} | {samples} |")
    return {"broken": dg.MetadataValue.md("\n".join(lines))}
