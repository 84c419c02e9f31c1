"""A disaster and a request: the lake brought back from its backup, and a person erased from all that a home holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from storage.home import Home
from storage.lake import Lake
from tests.e2e.conftest import FinishedRun, finish, salesops
from tests.e2e.test_simulated_company import assert_same_marts, published_file

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def restored(simulated: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """The simulated company's lake, saved, lost, and brought back into an empty home; its sources are where they were."""
    backup, home = tmp_path_factory.mktemp("backup") / "lake", tmp_path_factory.mktemp("restored") / "home"
    saved = salesops(simulated.home, "lake", "backup", str(backup))
    assert saved.returncode == 0, saved.stderr
    back = salesops(home, "lake", "restore", str(backup))
    assert back.returncode == 0, back.stderr
    shutil.copytree(simulated.home / "simulation", home / "simulation")
    shutil.copy(simulated.home / "pii.key", home)
    return finish(home)


def test_marts_built_from_a_restored_lake_are_equal_row_for_row(simulated: FinishedRun, restored: FinishedRun) -> None:
    before, after = Lake(Home(simulated.home).lake), Lake(Home(restored.home).lake)
    assert (
        after.snapshot().fingerprint == before.snapshot().fingerprint
    )  # nothing was lost, so the sources had nothing to add
    assert_same_marts(published_file(simulated.home), published_file(restored.home))


def test_an_erased_person_is_nowhere_in_the_home_and_marts_still_build(restored: FinishedRun) -> None:
    lake = Lake(Home(restored.home).lake)
    found = lake.query(
        "salesforce__lead",
        """
        select any_value("Email") as address, "Name" as name, any_value("Phone") as phone, any_value("Id") as lead_id
        from lake where "ConvertedContactId" is not null and "Email" is not null and "Phone" is not null
        group by "Name" having count(*) = 1 order by "Name" limit 1
        """,
    )
    assert found is not None and found.num_rows == 1
    person = found.to_pylist()[0]
    digits = "".join(filter(str.isdigit, person["phone"]))[-10:]
    wanted = [person["address"].lower(), person["name"].lower(), digits]
    assert all(text in everything_built(restored.home) for text in wanted)
    counted = "select count(*), count(*) filter (where is_converted), count(distinct lead_source) from fct_leads"
    before = restored.rows(counted)
    scenario = restored.home / "simulations" / "what_if.duckdb"
    scenario.parent.mkdir()
    shutil.copy(restored.home / "warehouse.duckdb", scenario)  # as `build_scenario` would leave it

    done = salesops(restored.home, "erase", "--email", person["address"].upper())

    assert done.returncode == 0, done.stdout + done.stderr
    output = (done.stdout + done.stderr).lower()
    assert "erased: 2 records" in output and not any(text in output for text in wanted)
    held = everything_built(restored.home)
    assert not [text for text in wanted if text in held]
    assert restored.rows(counted) == before
    assert restored.rows("select count(*) from fct_opportunities") != [(0,)]
    assert len(list((restored.home / "published" / "sets").iterdir())) == 1
    # Known again by the id, and by nothing else.
    assert restored.rows(f"select lead_id from fct_leads where lead_id = '{person['lead_id']}'") == [
        (person["lead_id"],)
    ]
    again = salesops(restored.home, "erase", "--email", person["address"])
    assert (
        again.returncode == 1
        and "names this address" in again.stderr
        and person["address"].lower() not in again.stderr.lower()
    )


def everything_built(home: Path) -> str:
    """Every byte of every file but the source's, and every value in Parquet and DuckDB files, which are compressed; lower case, phones as digits."""
    texts = []
    for path in sorted(home.rglob("*")):
        if not path.is_file() or path.is_symlink() or path.is_relative_to(home / "simulation"):
            continue
        texts.append(path.read_bytes().decode("latin-1"))
        if path.suffix == ".parquet":
            texts += [str(value) for column in pq.read_table(path).columns for value in column.to_pylist()]
        if path.suffix == ".duckdb":
            texts += values_in(path)
    text = "\n".join(texts).lower()
    return text + "\n" + text.translate({ord(sign): None for sign in "()+- "})


def values_in(path: Path) -> list[str]:
    """Every text of every table of a DuckDB file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "select database_name, schema_name, table_name from duckdb_tables() where not internal"
        ).fetchall()
        names = ['"{}"."{}"."{}"'.format(*table) for table in tables]
        return [str(value) for name in names for row in connection.execute(f"from {name}").fetchall() for value in row]
