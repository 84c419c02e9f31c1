"""A disaster and a request: the lake brought back from its backup, and a person erased from all that a home holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from storage.home import Home
from storage.lake import Lake
from tests.conftest import minutes_long
from tests.e2e.conftest import FinishedRun, finish, salesops
from tests.e2e.test_simulated_company import assert_same_marts, published_file

pytestmark = [pytest.mark.e2e, minutes_long]


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
    assert set(found_in(restored.home, wanted)) == set(wanted)
    counted = "select count(*), count(*) filter (where is_converted), count(distinct lead_source) from fct_leads"
    before = restored.rows(counted)
    scenario = restored.home / "simulations" / "what_if.duckdb"
    scenario.parent.mkdir()
    shutil.copy(restored.home / "warehouse.duckdb", scenario)  # as `build_scenario` would leave it

    done = salesops(restored.home, "erase", "--email", person["address"].upper())

    assert done.returncode == 0, done.stdout + done.stderr
    output = (done.stdout + done.stderr).lower()
    assert "erased: 2 records" in output and not any(text in output for text in wanted)
    assert found_in(restored.home, wanted) == {}
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


def found_in(home: Path, wanted: list[str]) -> dict[str, list[str]]:
    """Which of the texts stand in which file of the home, but for the source's; of a compressed file, its values count too.

    Case does not matter, nor do the signs between the digits of a phone number.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(home.rglob("*")):
        if not path.is_file() or path.is_symlink() or path.is_relative_to(home / "simulation"):
            continue
        content = path.read_bytes().lower()
        texts = {text for text in wanted if text.encode() in content or text.encode() in _digits(content)}
        if path.suffix == ".parquet":
            texts |= values_in(f"read_parquet('{path}')", wanted, None)
        if path.suffix == ".duckdb":
            texts |= values_in_tables(path, wanted)
        for text in texts:
            found.setdefault(text, []).append(str(path.relative_to(home)))
    return found


def values_in_tables(path: Path, wanted: list[str]) -> set[str]:
    """Which of the texts stand in a table of a DuckDB file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "select database_name, schema_name, table_name from duckdb_tables() where not internal"
        ).fetchall()
        return set().union(*(values_in('"{}"."{}"."{}"'.format(*table), wanted, connection) for table in tables))


def values_in(rows: str, wanted: list[str], connection: duckdb.DuckDBPyConnection | None) -> set[str]:
    """Which of the texts stand in a row."""
    plain = "regexp_replace(line, '[()+ -]', '', 'g')"
    holds = ", ".join(f"bool_or(contains(line, $text{i}) or contains({plain}, $text{i}))" for i in range(len(wanted)))
    answer = (
        (connection or duckdb)
        .execute(
            f"select {holds} from (select lower(each::varchar) as line from {rows} as each)",
            {f"text{i}": text for i, text in enumerate(wanted)},
        )
        .fetchone()
    )
    return {text for text, is_held in zip(wanted, answer or (), strict=True) if is_held}


def _digits(content: bytes) -> bytes:
    return content.translate(None, b"()+- ")
