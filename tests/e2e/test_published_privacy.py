"""No outside person of the simulated company is found in what it publishes, and a setting decides otherwise."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from storage.home import Home
from storage.lake import Lake
from tests.e2e.conftest import FinishedRun, salesops

pytestmark = pytest.mark.e2e

OWN_DOMAIN = "northlight.example"


def published_texts(folder: Path, *, restricted: bool = False) -> set[str]:
    """Every distinct text in the Parquet files and in the DuckDB file of a part of a set."""
    part = folder / "restricted" if restricted else folder
    texts: set[str] = set()
    with duckdb.connect() as connection:
        connection.execute(
            f"attach '{part / ('pay.duckdb' if restricted else 'salesops.duckdb')}' as opened (read_only)"
        )
        sources = [f"'{file}'" for file in sorted((part / "parquet").iterdir())]
        sources += [
            f'opened.marts."{name}"'
            for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()
        ]
        for source in sources:
            for name, kind, *_ in connection.execute(f"describe from {source}").fetchall():
                if kind.startswith("VARCHAR"):
                    found = connection.execute(
                        f'select distinct "{name}" from {source} where "{name}" <> \'\''
                    ).fetchall()
                    texts.update(text.casefold() for (text,) in found)
    assert len(texts) > 100
    return texts


def outside_values(home: Path) -> set[str]:
    """Addresses, numbers and names of everybody outside, as the sources of the simulated company hold them."""
    lake, values = Lake(Home(home).lake), set()
    for table, columns in {
        "salesforce__lead": ("Email", "Phone", "Name"),
        "salesforce__contact": ("Email", "Phone", "Name"),
        "salesforce__account": ("Phone",),
        "mail__message": ("from_address", "message_id"),
        "telephony__call": ("from", "to"),
    }.items():
        rows = lake.query(table, "select * from lake")
        assert rows is not None, table
        for column in columns:
            if column in rows.column_names:
                values |= {str(value).strip().casefold() for value in rows[column].unique().to_pylist() if value}
    users = lake.query("salesforce__user", "select * from lake")
    assert users is not None
    ours = {
        str(value).casefold()
        for column in ("Email", "Phone", "Name")
        if column in users.column_names
        for value in users[column].to_pylist()
    }
    return {value for value in values if len(value) > 6 and value not in ours and not value.endswith(f"@{OWN_DOMAIN}")}


def test_no_address_number_or_name_from_outside_is_published(simulated: FinishedRun) -> None:
    values = outside_values(simulated.home)
    kinds = [sum("@" in value for value in values), sum(value.startswith("+") for value in values), len(values)]
    assert min(kinds) > 100, kinds
    digits = {re.sub(r"\D", "", value) for value in values if re.fullmatch(r"[0-9 +().-]+", value)} - {""}
    folder = (simulated.home / "published/current").resolve()
    for restricted in (False, True):
        texts = published_texts(folder, restricted=restricted)
        together = "\n".join(texts)
        assert [value for value in sorted(values) if value in together][:5] == []
        assert (
            sorted(digits & {re.sub(r"\D", "", text) for text in texts if not re.fullmatch("[0-9a-f]{32,}", text)})[:5]
            == []
        )
        # Only our own people's addresses, and no part of a longer text either.
        domains = {text.rpartition("@")[2] for text in texts if "@" in text}
        assert domains <= {OWN_DOMAIN}, domains


def test_every_column_of_the_general_set_is_described_so_that_somebody_decided(simulated: FinishedRun) -> None:
    with duckdb.connect(str(simulated.home / "published/salesops.duckdb"), read_only=True) as opened:
        missing = opened.execute(
            r"select table_name || '.' || column_name from duckdb_columns() where schema_name = 'marts' and comment is null "
            r"and not regexp_matches(table_name, '^kpi_.*_(day|week|month|quarter|year)$') order by 1"
        ).fetchall()
    assert [name for (name,) in missing] == []


def test_an_address_that_is_known_is_found_by_its_hash(simulated: FinishedRun) -> None:
    lake = Lake(Home(simulated.home).lake)
    asked = lake.query("salesforce__contact", 'select "Email" from lake where "Email" is not null')
    hashes = {
        str(row[0])
        for row in simulated.rows("select distinct counterpart_key from fct_activities where activity_type = 'email'")
    }
    assert asked is not None
    found = []
    for address in sorted(set(asked["Email"].to_pylist()))[:5]:
        done = salesops(simulated.home, "mask", f" {address.upper()} ")
        assert done.returncode == 0, done.stderr
        found.append(done.stdout.strip() in hashes)
    assert any(found)


def test_a_question_in_sql_is_answered(simulated: FinishedRun) -> None:
    done = salesops(simulated.home, "query", "--json", "select sum(bookings) as bookings from marts.kpi_company_month")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        {"bookings": str(simulated.rows("select sum(bookings) from kpi_company_month")[0][0])}
    ]
    wrong = salesops(simulated.home, "query", "select * from kpi_company_months")
    assert wrong.returncode == 1 and "kpi_company_month" in wrong.stderr and "Traceback" not in wrong.stderr
