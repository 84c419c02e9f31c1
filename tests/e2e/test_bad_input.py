"""Each wrong input gives one clear message and a failing exit code, and what had landed before stays."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from storage.lake import Lake
from tests.conftest import minutes_long
from tests.e2e.conftest import ROOT, SALESOPS, FinishedRun, environment_for, salesops

pytestmark = pytest.mark.e2e


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A small export of five deals, and a copy of the Maven mapping that fits it."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "sales_pipeline.csv").write_text(
        "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
        + "".join(
            f"D{number},Ann Lee,GTX Pro,Acme,Won,2025-01-0{number},2025-02-0{number},{number}00\n"
            for number in range(1, 6)
        )
    )
    (folder / "accounts.csv").write_text(
        "account,sector,year_established,revenue,employees,office_location,subsidiary_of\nAcme,retail,1990,1.5,10,Norway,\n"
    )
    (folder / "products.csv").write_text("product,series,sales_price\nGTX Pro,GTX,4821\n")
    (folder / "sales_teams.csv").write_text("sales_agent,manager,regional_office\nAnn Lee,Bo Ek,North\n")
    shutil.copy(ROOT / "config/mappings/maven_crm.yml", folder / "mapping.yml")
    return folder


def run_export(home: Path, export: Path) -> subprocess.CompletedProcess[str]:
    return salesops(home, "run", "--mapping", str(export / "mapping.yml"), "--files", str(export))


def assert_clear(done: subprocess.CompletedProcess[str], *expected: str) -> None:
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    message = " ".join(done.stderr.split())
    assert message.count("Error:") == 1, message
    for text in expected:
        assert text in message, message


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_mapping_that_names_a_missing_column(home: Path, export: Path) -> None:
    edit(export / "sales_pipeline.csv", "close_value", "value")
    assert_clear(run_export(home, export), "close_value", "sales_pipeline.csv")


def test_odd_records_are_data_errors_and_what_had_landed_stays_when_a_later_load_is_refused_or_the_disk_is_full(
    home: Path, export: Path, tmp_path: Path
) -> None:
    deals = export / "sales_pipeline.csv"
    edit(deals, "D2,Ann Lee,GTX Pro,Acme,Won,2025-01-02,2025-02-02", "D2,Ann Lee,GTX Pro,Acme,Won,2025-01-02,")
    edit(deals, "D3,Ann Lee,GTX Pro,Acme,Won", "D3,Ann Lee,GTX Pro,Acme,Parked")
    edit(deals, "2025-01-04,2025-02-04", "2025-01-04,2205-02-04")
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    (feeds / "invoices.csv").write_text(
        "invoice_id,opportunity_id,invoice_date,amount,currency\n"
        "I1,D1,2025-03-01,70,USD\nI2,D404,2025-03-01,30,USD\nI3,D1,2025-03-01,50,XAG\n"
    )
    (feeds / "payments.csv").write_text(
        "payment_id,invoice_id,payment_date,amount,currency\nP1,I404,2025-03-02,20,USD\n"
    )
    (feeds / "quotas.csv").write_text(
        "employee_id,period_start,quota_amount,currency\nE404,2025-02-01,1000,USD\nE404,2025-02-15,1000,USD\n"
    )
    files = ("--mapping", str(export / "mapping.yml"), "--files", str(export))
    done = salesops(home, "run", *files, SALESOPS_FEEDS_DIR=str(feeds))
    assert done.returncode == 0, done.stdout + done.stderr
    run = FinishedRun(home, done.stdout)
    assert set(run.rows("select record_type, record_id, rule, stated_value from data_errors")) == {
        ("opportunity", "D2", "close_date_is_missing", None),
        ("opportunity", "D3", "stage_is_unknown", "Parked"),
        ("opportunity", "D4", "close_date_is_out_of_range", "2205-02-04"),
        ("invoice", "I2", "opportunity_is_unknown", "D404"),
        ("invoice", "I3", "exchange_rate_is_missing", "XAG to USD on 2025-03-01"),
        ("payment", "P1", "invoice_is_unknown", "I404"),
        ("quota", "E404/2025-02-01", "employee_is_unknown", "E404"),
    }
    company = "from kpi_company_period where period_grain = 'month' and period_start = date '{}'"
    assert run.rows(f"select bookings {company.format('2025-02-01')}") == [(600,)]  # D1 and D5
    assert run.rows(f"select invoiced, collected {company.format('2025-03-01')}") == [(100, 20)]
    said = " ".join(done.stdout.split())
    assert "Data errors (mart data_errors)" in said
    assert "files__opportunity.stage_name holds 'Parked', unknown to the stages in force (1 rows)." in said
    assert "feed__quotas: 1 row was set aside, of 2 (period_start_is_first_of_month 1)." in said

    before = Lake(home / "lake").snapshot()
    published = (home / "published" / "salesops.duckdb").resolve().read_bytes()

    deals = (export / "sales_pipeline.csv").read_text()
    edit(export / "sales_pipeline.csv", "close_value", "value")
    assert_clear(run_export(home, export), "close_value")
    assert Lake(home / "lake").snapshot() == before

    names = random.Random(7)
    more = (
        f"{names.randbytes(16).hex()},Ann Lee,GTX Pro,Acme,Won,2025-01-01,2025-02-01,{number}\n"
        for number in range(300_000)
    )
    (export / "sales_pipeline.csv").write_text(deals + "".join(more))
    # A limit on the size of a file stands in for the full disk: the kernel refuses the write half-way, as it does there.
    limited = f"ulimit -f 8192; trap '' XFSZ; exec '{SALESOPS}' run --mapping '{export}/mapping.yml' --files '{export}'"
    done = subprocess.run(
        ["bash", "-c", limited],
        cwd=home,
        env=environment_for(home),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert_clear(done, "could not be committed", "files__opportunity")
    assert Lake(home / "lake").snapshot() == before
    assert (home / "published" / "salesops.duckdb").resolve().read_bytes() == published


@minutes_long
def test_ragged_rows(home: Path, export: Path) -> None:
    with (export / "sales_pipeline.csv").open("a") as file:
        file.write("D6,Ann Lee,GTX Pro\n")
    assert_clear(run_export(home, export), "sales_pipeline.csv", "7")


def test_missing_mapping_file(home: Path, tmp_path: Path) -> None:
    done = salesops(home, "run", "--mapping", "nowhere.yml", "--files", str(tmp_path))
    assert_clear(done, "nowhere.yml")


@minutes_long
def test_missing_salesforce_credential(home: Path) -> None:
    done = salesops(home, "run", SALESOPS_SALESFORCE_LOGIN_URL="https://127.0.0.1:1")
    assert_clear(done, "SALESOPS_SALESFORCE_CLIENT_ID")


@minutes_long
def test_unreachable_salesforce(home: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"https://127.0.0.1:{unused.getsockname()[1]}"
    credentials = {"SALESOPS_SALESFORCE_CLIENT_ID": "id", "SALESOPS_SALESFORCE_CLIENT_SECRET": "very-secret"}
    done = salesops(home, "run", SALESOPS_SALESFORCE_LOGIN_URL=address, **credentials)
    assert_clear(done, address)
    assert "very-secret" not in done.stdout + done.stderr


@minutes_long
def test_wrong_salesforce_secret(home: Path, tmp_path: Path) -> None:
    from simulation.company import create_company
    from simulation.servers import start_servers

    create_company(tmp_path / "simulation", "tiny", 7)
    with start_servers(tmp_path / "simulation") as served:
        done = salesops(
            home,
            "run",
            SALESOPS_SALESFORCE_LOGIN_URL=served.salesforce_login_url,
            SALESOPS_SALESFORCE_CLIENT_ID=served.salesforce_client_id,
            SALESOPS_SALESFORCE_CLIENT_SECRET="not-the-secret",
            SALESOPS_SALESFORCE_CA_FILE=str(served.ca_file),
        )
    assert_clear(done, served.salesforce_login_url)
    assert "not-the-secret" not in done.stdout + done.stderr


def test_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = salesops(tmp_path, "run", "--simulate", SALESOPS_HOME=str(tmp_path / "file" / "home"))
    assert_clear(done, "cannot be written", "SALESOPS_HOME")
