"""`salesops run` over quick steps: from its options to the run, and from what the run has to say to what is printed and the exit code."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from cli.main import app
from cli.summary import _print_headlines, headlines
from ingestion.contracts import Violation
from ingestion.errors import SalesforceRefused
from ingestion.landing import LandingReport
from ingestion.sources.files.errors import FileUnreadable
from ingestion.sources.salesforce.windows import Backfill
from orchestration.assets.feeds import feed_tables
from orchestration.assets.loads import Results, make_contracts, make_specs, report_all
from orchestration.resources import Platform
from storage.metric_registry import read_metrics

SPENT = "500 of the org's 1,000 daily API requests are used, and reading stops at 50%. It goes on within a day."
HEADER = "payment_id,invoice_id,payment_date,amount,currency\n"

Run = Callable[..., Result]


@pytest.fixture
def drops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The drop folder, the only source of the home."""
    folder = tmp_path / "incoming"
    folder.mkdir()
    monkeypatch.setattr(os, "environ", os.environ.copy())  # the command sets variables of its own
    for name, value in {"HOME": tmp_path / "home", "DROP_DIR": folder, "DROP_SETTLE_SECONDS": "0.01"}.items():
        monkeypatch.setenv(f"SALESOPS_{name}", str(value))
    monkeypatch.setenv("COLUMNS", "100")
    return folder


@pytest.fixture
def run(drops: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, over a job of a few assets instead of all of them."""

    def run_assets(assets: Sequence[dg.AssetsDefinition], *options: str) -> Result:
        definitions = dg.Definitions(
            assets=assets, jobs=[dg.define_asset_job("salesops")], resources={"platform": Platform()}
        )
        monkeypatch.setattr("orchestration.embedded.load_job", lambda home: definitions.resolve_job_def("salesops"))
        return CliRunner().invoke(app, ["run", *options])

    return run_assets


def landing(*reports: LandingReport, error: Exception | None = None) -> dg.AssetsDefinition:
    """A source's step that made these loads, and then fails where there is an error."""
    tables = [report.table for report in reports]

    @dg.multi_asset(
        name="salesforce", specs=make_specs(tables, "salesforce", "{table}"), check_specs=make_contracts(tables)
    )
    def source() -> Results:
        yield from report_all(tables, reports)
        if error:
            raise error

    return source


def words(result: Result) -> str:
    """What was printed, with its line breaks taken out."""
    return " ".join(result.output.split())


def test_what_was_not_read_is_reported_once_for_all_its_tables_and_is_no_success(run: Run) -> None:
    spent = [
        LandingReport(f"salesforce__{table}", notice=f"{name} was not read. {SPENT}", is_undone=True)
        for table, name in (("lead", "Lead"), ("opportunity_history", "OpportunityHistory"), ("other__c", "Other__c"))
    ]
    result = run([landing(*spent)])
    assert result.exit_code == 1, result.output
    assert words(result).endswith(
        f"Not done - Lead was not read. {SPENT} The same holds for OpportunityHistory, Other__c."
    )
    assert "Notices" not in result.output
    where, notices = result.output.splitlines()[:2], result.output.splitlines()[2:]
    assert [line.partition(":")[0] for line in where] == ["Settings", "Home"]
    assert all(len(line.rstrip()) <= 100 for line in notices)


BROKEN = Violation("amount_is_decimal", "row", ("amount",), 2, "…", fix="Write plain digits.")


@pytest.mark.parametrize(
    ("landed", "is_full", "exit_code", "heading"),
    [
        pytest.param(1, True, 0, "Notices", id="some rows of a file"),
        pytest.param(0, True, 1, "Not done", id="all rows of a file"),
        pytest.param(0, False, 0, "Notices", id="all that changed since the last load"),
    ],
)
def test_rows_that_were_set_aside_are_counted_by_rule(
    run: Run, landed: int, is_full: bool, exit_code: int, heading: str
) -> None:
    new_field = "payments has the new column note."
    report = LandingReport(
        "feed__payments", landed, set_aside=2, violations=(BROKEN,), notice=new_field, is_full=is_full
    )
    result = run([landing(report)])
    assert result.exit_code == exit_code, result.output
    counted = (
        f"feed__payments: 2 rows were set aside, of {landed + 2} (amount_is_decimal 2). Write plain digits. "
        "`salesops quarantine list` shows them."
    )
    said = words(result)
    assert counted in said[said.index(heading) :]
    assert new_field in said[said.index("Notices") :].partition("Not done")[0]


def test_a_rule_that_only_warns_is_repeated_with_what_to_do(run: Run) -> None:
    warned = Violation("stage_name_is_known", "warn", ("StageName",), 3, "StageName holds 'Parked'.", fix="Add a line.")
    result = run([landing(LandingReport("salesforce__opportunity", 3, violations=(warned,)))])
    assert result.exit_code == 0, result.output
    assert words(result).endswith("Notices - StageName holds 'Parked'. Add a line.")


def test_news_is_reported_and_is_a_success(run: Run) -> None:
    news = "Lead has a new field Region__c [int]: it lands as a new column."
    result = run([landing(LandingReport("salesforce__lead", notice=news), LandingReport("salesforce__task"))])
    assert result.exit_code == 0, result.output
    assert words(result).endswith(f"Notices - {news}")
    assert "Not done" not in result.output


def test_a_run_without_news_prints_no_heading(run: Run) -> None:
    result = run([landing(LandingReport("salesforce__lead"))])
    assert result.exit_code == 0, result.output
    assert words(result).endswith("sources: drop folder Nothing was published yet.")


def test_a_run_that_fails_says_its_news_all_the_same(run: Run) -> None:
    refusal = SalesforceRefused("No Task.", where="Task", fix="Ask.")
    result = run([landing(LandingReport("salesforce__lead", notice="Lead is news."), error=refusal)])
    assert result.exception is not None and "No Task." in str(result.exception)
    assert words(result).endswith("Notices - Lead is news.")


def test_a_refused_drop_file_is_no_success_in_the_run_that_refused_it(run: Run, drops: Path) -> None:
    (drops / "payments_1.csv").write_text(HEADER + "P1,I1,2026-01-05\n")
    (drops / "payments_2.csv").write_text(HEADER + "P2,I1,2026-01-05,100,USD\n")
    (drops / "holidays.xlsx").write_text("x")
    result = run([feed_tables])
    assert result.exit_code == 1, result.output
    notices, _, undone = words(result).partition("Not done")
    assert "names begin with no feed's name or end otherwise than in .csv or .parquet: holidays.xlsx." in notices
    assert undone.startswith(
        " - payments_1.csv was refused and stays where it is. Line 2 of payments_1.csv has 3 fields"
    )
    assert words(result).count("payments_1.csv was refused") == 1
    assert "no source configured" not in result.output

    again = run([feed_tables])
    assert again.exit_code == 0, again.output
    assert "payments_1.csv" not in again.output and "holidays.xlsx" in again.output


def test_a_drop_file_that_cannot_be_opened_is_no_success(
    run: Run, drops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> str:
        raise FileUnreadable(f"{path.name} cannot be read: Permission denied.")

    (drops / "payments_1.csv").write_text(HEADER)
    monkeypatch.setattr("ingestion.sources.feeds.drop_folder.hash_file", refuse)
    result = run([feed_tables])
    assert result.exit_code == 1, result.output
    assert words(result).endswith(
        "Not done - payments_1.csv cannot be read: Permission denied. It stays in the drop folder, and the next run tries it again."
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), None),
        (
            ("--since", "2026-01-01", "--until", "2026-02-01"),
            (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
        ),
        (("--since", "2026-01-01T06:30:00Z"), (datetime(2026, 1, 1, 6, 30, tzinfo=UTC), None)),
    ],
    ids=["none", "since and until", "until now"],
)
def test_a_window_to_read_again_reaches_the_step(
    run: Run, options: tuple[str, ...], expected: tuple[datetime, datetime | None] | None
) -> None:
    asked: list[tuple[Backfill | None, datetime]] = []

    @dg.asset
    def salesforce(context: dg.AssetExecutionContext, platform: Platform) -> None:
        asked.append((platform.backfill(context), platform.as_of(context)))

    result = run([salesforce], *options)
    assert result.exit_code == 0, result.output
    ((backfill, as_of),) = asked
    assert backfill == (Backfill(expected[0], expected[1] or as_of) if expected else None)


@pytest.mark.parametrize("options", [("--until", "2026-02-01"), ("--since", "2026-02-01", "--until", "2026-02-01")])
def test_a_window_that_ends_before_it_begins_is_refused(run: Run, options: tuple[str, ...]) -> None:
    result = run([], *options)
    assert "ends after it begins" in str(result.exception)


def test_a_home_without_figures_shows_no_empty_table() -> None:
    columns = [headline.column for headline in headlines(read_metrics())]
    console = Console(record=True, width=100)
    with duckdb.connect() as published:
        figures = ", ".join(f"{name} int" for name in columns)
        published.execute(f"create table kpi_company_period (period_grain varchar, period_start date, {figures})")
        _print_headlines(console, published)
        assert console.export_text() == ""
        published.execute(
            f"insert into kpi_company_period (period_grain, period_start, {columns[0]}) values ('month', '2026-01-01', 5)"
        )
        _print_headlines(console, published)
        assert "2026-01" in console.export_text()
