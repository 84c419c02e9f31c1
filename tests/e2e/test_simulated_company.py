"""The whole pipeline on a company whose truth is known."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from simulation.company import Company
from simulation.truth import tally
from tests.conftest import minutes_long
from tests.e2e.conftest import SALESOPS, FinishedRun, environment_for, finish, salesops

pytestmark = pytest.mark.e2e

TALLIED = (
    "leads_generated",
    "deals_created",
    "deals_closed",
    "deals_lost",
    "bookings",
    "calls_placed",
    "calls_connected",
    "phone_seconds",
    "emails_sent",
    "meetings_held",
    "invoiced",
    "collected",
)
# What says when and by which run a row was made; everything else must be the same after a rebuild.
LOAD_COLUMNS = {"run_id"}


@pytest.mark.parametrize("entity_type", ["company", "team", "territory", "rep"])
@pytest.mark.parametrize("metric", TALLIED)
def test_kpi_equals_the_simulations_own_tally(simulated: FinishedRun, entity_type: str, metric: str) -> None:
    simulation = simulated.home / "simulation"
    truth = tally(simulation, Company.load(simulation).now)
    expected = {
        (row["entity_id"], row["period_start"]): row["value"]
        for row in truth.to_pylist()
        if row["entity_type"] == entity_type and row["metric"] == metric and row["value"]
    }
    entity, source = {
        "company": ("'company'", "kpi_company_month"),
        "team": ("team_id", "kpi_team_month"),
        "territory": ("territory_name", "kpi_territory_month join dim_territories using (territory_id)"),
        "rep": ("rep_id", "kpi_rep_month"),
    }[entity_type]
    found = simulated.rows(f"select {entity}, period_start, {metric} from {source} where {metric} <> 0")
    assert expected, "the company did nothing to count"
    # What nobody of a team did (a lead that the web form created) counts for the company only; the marts keep it as `unassigned`.
    assert {
        (entity_id, start): value for entity_id, start, value in found if entity_id not in {"unassigned", "Unassigned"}
    } == expected


def test_second_run_builds_nothing(copy_of_simulated: FinishedRun) -> None:
    home = copy_of_simulated.home
    before = (home / "published" / "current").resolve()
    assert "dbt_marts" in json.loads((home / "step_seconds.json").read_text())

    done = salesops(home, "run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing new" in done.stdout
    assert (home / "published" / "current").resolve() == before
    assert "dbt_marts" not in json.loads((home / "step_seconds.json").read_text())


@minutes_long
def test_another_home_with_the_same_seed_has_the_same_rows_and_moves_on_with_its_clock_while_readers_read(
    home: Path, simulated: FinishedRun
) -> None:
    shutil.copy(simulated.home / "pii.key", home)
    other = finish(home)
    assert_same_marts(published_file(simulated.home), published_file(other.home))

    counted = "select count(*), max(occurred_at) from fct_activities"
    (before,) = other.rows(counted)
    moved = salesops(home, "simulate", "--advance-days", "3")
    assert moved.returncode == 0, moved.stderr
    process = subprocess.Popen(
        [str(SALESOPS), "run"], cwd=home, env=environment_for(home), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    reads = 0
    while process.poll() is None:
        # Another process than the run's, as a BI tool is.
        assert other.rows("select count(*) > 0 from fct_opportunities") == [(True,)]
        reads += 1
        time.sleep(0.1)
    assert process.returncode == 0, process.stderr.read().decode() if process.stderr else ""
    assert reads > 10
    (after,) = other.rows(counted)
    assert after[0] > before[0]  # type: ignore[operator]  # counts
    assert isinstance(after[1], datetime) and after[1] > before[1]  # type: ignore[operator]  # timestamps


def test_a_commission_line_is_explained_down_to_the_crm_record(simulated: FinishedRun) -> None:
    line, opportunity, plan_hash = simulated.rows(
        "select line_id, opportunity_id, plan_hash from commission_lines order by line_id limit 1"
    )[0]
    explained = salesops(simulated.home, "commissions", "explain", str(line))
    assert explained.returncode == 0, explained.stderr
    for expected in (line, opportunity, plan_hash, "salesforce__opportunity"):
        assert str(expected) in explained.stdout

    unknown = salesops(simulated.home, "commissions", "explain", "no-such-line")
    assert unknown.returncode == 1
    assert "no-such-line" in unknown.stderr and "Traceback" not in unknown.stderr


def test_summary_names_kpis_leaders_and_places(simulated: FinishedRun) -> None:
    for expected in (
        "simulated company",
        "Rows per layer",
        "Headline KPIs",
        "Bookings",
        "Leaderboard",
        "salesops.duckdb",
    ):
        assert expected in simulated.output


def published_file(home: Path) -> Path:
    return (home / "published" / "salesops.duckdb").resolve()


def assert_same_marts(left: Path, right: Path) -> None:
    """Every mart has the same rows, whatever their order, but for the load columns. Hashes are the same where the homes share a key."""
    for file in ("salesops.duckdb", "restricted/pay.duckdb"):
        _assert_same_tables(left.parent / file, right.parent / file)


def _assert_same_tables(left: Path, right: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{left}' as l (read_only)")
        connection.execute(f"attach '{right}' as r (read_only)")
        tables = {
            name: {
                row[0]
                for row in connection.execute(
                    f"select table_name from duckdb_tables() where database_name = '{name}'"
                ).fetchall()
            }
            for name in ("l", "r")
        }
        assert tables["l"] == tables["r"] and tables["l"]
        for table in sorted(tables["l"]):
            columns = [
                row[0]
                for row in connection.execute(f'describe l.marts."{table}"').fetchall()
                if row[0] not in LOAD_COLUMNS
            ]
            listed = ", ".join(f'"{column}"' for column in columns)
            for first, second in (("l", "r"), ("r", "l")):
                extra = connection.execute(
                    f'select {listed} from {first}.marts."{table}" except all select {listed} from {second}.marts."{table}"'
                ).fetchall()
                assert not extra, (
                    f"{table}: {len(extra)} rows only in {first}, such as {dict(zip(columns, extra[0], strict=True))}"
                )
