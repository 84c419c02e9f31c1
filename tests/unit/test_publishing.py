"""Published sets: folders, links, what stays, what a reader sees, types and comments."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from publishing import published_set
from publishing.published_set import SETS_KEPT, publish, read_current_manifest, read_manifests, remove_older_sets
from storage.errors import StorageError
from storage.home import Home
from storage.warehouse import open_published
from tests.published_sample import MARTS, build_warehouse, make_policy, publish_run


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def sets(home: Home) -> list[str]:
    return sorted(path.name for path in (home.published / "sets").iterdir())


def test_marts_are_read_by_bare_name_and_by_full_name_general_and_pay(home: Home) -> None:
    manifest = publish_run(home)
    assert manifest.row_counts == {
        "commission_lines": 1,
        "dim_accounts": 3,
        "fct_activities": 7,
        "kpi_month": 1,
        "kpi_rep_period": 2,
    }
    with open_published(home) as published:
        for schema in ("", "marts."):
            assert published.execute(f"select bookings from {schema}kpi_month").fetchall() == [(5,)]
            assert published.execute(f"select line_id from {schema}commission_lines").fetchall() == [("L1",)]


def test_a_file_opened_itself_has_each_mart_once_in_the_schema_marts(home: Home) -> None:
    publish_run(home)
    with duckdb.connect(str(home.published / "salesops.duckdb"), read_only=True) as opened:
        assert opened.execute("select bookings from marts.kpi_month").fetchall() == [(5,)]
        tables = opened.execute("select table_schema, table_name from information_schema.tables order by 2").fetchall()
        listed = ["dim_accounts", "fct_activities", "kpi_month", "kpi_rep_day", "kpi_rep_month", "kpi_rep_period"]
        assert tables == [("marts", name) for name in listed]
    with duckdb.connect(str(home.published / "current/restricted/pay.duckdb"), read_only=True) as opened:
        assert opened.execute("select table_name from information_schema.tables").fetchall() == [("commission_lines",)]


def test_sums_are_plain_integers_and_decimals_stay_in_both_forms(home: Home) -> None:
    publish_run(home)
    with duckdb.connect(str(home.published / "salesops.duckdb"), read_only=True) as opened:
        stored = opened.execute("describe marts.kpi_month").fetchall()
    parquet = duckdb.connect().sql(f"describe from '{home.published}/parquet/kpi_month.parquet'").fetchall()
    assert (
        [row[:2] for row in stored]
        == [row[:2] for row in parquet]
        == [("bookings", "BIGINT"), ("price", "DECIMAL(28,2)")]
    )


def test_a_sum_that_fits_no_plain_integer_is_an_error_and_nothing_is_published(home: Home) -> None:
    publish_run(home)
    build_warehouse(home)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create or replace view marts.kpi_month as select 9223372036854775808::hugeint as bookings")
    with pytest.raises(StorageError, match=r"kpi_month holds a number that does not fit 64 bits, in one of bookings"):
        publish(home, run_id="run-2", as_of="x", fingerprint="f", lake_versions={}, marts=MARTS, policy=make_policy())
    assert sets(home) == ["run-1"]


def test_tables_and_columns_carry_their_descriptions(home: Home) -> None:
    publish_run(home)
    with duckdb.connect(str(home.published / "salesops.duckdb"), read_only=True) as opened:
        assert opened.execute("select comment from duckdb_tables() where table_name = 'kpi_month'").fetchall() == [
            ("Bookings of a month.",)
        ]
        comments = dict(
            opened.execute(
                "select column_name, comment from duckdb_columns() where table_name = 'fct_activities'"
            ).fetchall()
        )
    assert comments == {
        "activity_id": "Key.",
        "counterpart_key": "The other side's address or number. Published as a keyed hash.",
    }


def test_a_table_that_nobody_described_is_not_published_and_a_missing_mart_is_an_error(home: Home) -> None:
    assert "amounts" not in publish_run(home).row_counts
    with pytest.raises(StorageError, match="lacks marts to publish: fct_gone"):
        publish_run(home, "run-2", marts={**MARTS, "fct_gone": MARTS["kpi_month"]})


def test_a_mark_on_a_column_that_is_not_there_is_an_error(home: Home) -> None:
    marked = replace(MARTS["dim_accounts"], columns={"name_of_account": MARTS["dim_accounts"].columns["account_name"]})
    with pytest.raises(StorageError, match="marked to hold personal data in name_of_account"):
        publish_run(home, marts={**MARTS, "dim_accounts": marked})


def test_a_reader_keeps_its_set_while_the_next_open_finds_the_new_one(home: Home) -> None:
    publish_run(home, "run-1", 5)
    with open_published(home) as reader:
        publish_run(home, "run-2", 6)
        assert reader.execute("select bookings, pay from kpi_month, commission_lines").fetchall() == [(5, 5)]
    with open_published(home) as published:
        assert published.execute("select bookings, pay from kpi_month, commission_lines").fetchall() == [(6, 6)]


def test_the_last_sets_stay_and_older_ones_go(home: Home) -> None:
    for number in range(SETS_KEPT + 2):
        publish_run(home, f"run-{number}", number)
    assert sets(home) == ["run-2", "run-3", "run-4"]


def test_publishing_again_under_one_run_id_keeps_the_set_that_readers_see(home: Home) -> None:
    for number in range(SETS_KEPT + 2):
        before = (home.published / "current").resolve()
        publish_run(home, "run", number)
        assert not number or before.exists()
    assert len(sets(home)) == SETS_KEPT
    with open_published(home) as published:
        assert published.execute("select bookings from kpi_month").fetchall() == [(number,)]


def test_the_set_before_stays_even_where_it_passes_for_the_oldest(home: Home) -> None:
    for number in range(SETS_KEPT + 1):
        publish_run(home, f"run-{number}", number)
    os.utime((home.published / "current").resolve(), (0, 0))
    publish_run(home, "run-9", 9)
    assert "run-3" in sets(home) and len(sets(home)) == SETS_KEPT


def test_a_failed_publication_leaves_the_set_before(home: Home) -> None:
    publish_run(home)
    home.warehouse.unlink()
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema marts")
    with pytest.raises(StorageError, match="holds no marts"):
        publish(
            home,
            run_id="run-2",
            as_of="2026-01-06",
            fingerprint="f",
            lake_versions={},
            marts=MARTS,
            policy=make_policy(),
        )
    current = read_current_manifest(home)
    assert current is not None and current.run_id == "run-1"
    assert sets(home) == ["run-1"]


@pytest.mark.parametrize("step", ["write_marts", "protect", "sync", "open_way", "_point"])
def test_a_disk_that_fails_at_any_step_leaves_a_whole_current_set_and_the_next_run_clears_up(
    home: Home, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_run(home, "run-1", 5)

    def fail(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(published_set, step, fail)
        with pytest.raises(StorageError, match="No space left"):
            publish_run(home, "run-2", 6)
    with open_published(home) as published:
        assert published.execute("select bookings, pay from kpi_month, commission_lines").fetchall() == [(5, 5)]
    publish_run(home, "run-3", 7)
    assert not [name for name in sets(home) if name.endswith(".partial")]
    with open_published(home) as published:
        assert published.execute("select bookings, pay from kpi_month, commission_lines").fetchall() == [(7, 7)]


def test_the_link_to_the_former_file_goes(home: Home) -> None:
    home.published.mkdir(parents=True)
    (home.published / "marts.duckdb").symlink_to("current/marts.duckdb")
    publish_run(home)
    assert sorted(path.name for path in home.published.iterdir()) == ["current", "parquet", "salesops.duckdb", "sets"]


@pytest.mark.parametrize("broken", ["", '{"run_id": "run-1", "as', '{"run_id": "run-1"}', "[]", "\x00"])
def test_a_broken_manifest_counts_as_nothing_published_but_stops_a_vacuum(
    home: Home, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    publish_run(home)
    (home.published / "current/manifest.json").write_text(broken)
    assert read_current_manifest(home) is None
    assert "publishes anew" in caplog.text
    with pytest.raises(StorageError, match="nobody knows which lake versions"):
        read_manifests(home)


def test_a_set_without_a_manifest_stops_a_vacuum_and_an_unfinished_one_does_not(home: Home) -> None:
    publish_run(home)
    shutil.copytree(home.published / "sets/run-1", home.published / "sets/run-2.partial")
    (home.published / "sets/run-2.partial/manifest.json").unlink()
    assert [manifest.run_id for manifest in read_manifests(home)] == ["run-1"]
    (home.published / "sets/run-1/manifest.json").unlink()
    with pytest.raises(StorageError, match="nobody knows"):
        read_manifests(home)


def test_a_manifest_of_another_version_of_salesops_is_read(home: Home) -> None:
    publish_run(home)
    path = home.published / "current/manifest.json"
    text = path.read_text().replace('"key_id"', '"of_a_later_version"')
    path.write_text(text)
    current = read_current_manifest(home)
    assert current is not None and current.key_id == "" and current.run_id == "run-1"


def test_after_an_erasure_only_the_current_set_stays(home: Home) -> None:
    for number in range(2):
        publish_run(home, f"run-{number}")
    (home.published / "sets/run-7.partial").mkdir()
    assert remove_older_sets(home) == 2
    assert sets(home) == ["run-1"]


def test_nothing_published_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        open_published(Home(tmp_path))


def test_a_set_is_its_owners_alone_whatever_the_umask(home: Home) -> None:
    before = os.umask(0o000)
    try:
        publish_run(home)
    finally:
        os.umask(before)
    for path in [home.published, *home.published.rglob("*")]:
        if not path.is_symlink():
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_group_may_read_the_general_part_and_pass_through_what_lies_above(home: Home) -> None:
    group = next((gid for gid in [*os.getgroups(), 12345] if gid != os.getegid()), None)
    if group is None or (os.geteuid() != 0 and group == 12345):
        pytest.skip("needs a second group of the user's: add the user to one, or run as root")
    home.root.mkdir(parents=True, mode=0o700)
    publish_run(home, policy=make_policy(group=group))
    folder = (home.published / "current").resolve()
    restricted = folder / "restricted"
    for path in folder.rglob("*"):
        if path != restricted and restricted not in path.parents:
            assert (path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (
                group,
                0o750 if path.is_dir() else 0o640,
            ), path
    for path in [restricted, *restricted.rglob("*")]:
        assert path.stat().st_gid != group and stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for path, mode in ((folder, 0o750), (home.published / "sets", 0o710), (home.published, 0o750), (home.root, 0o710)):
        assert (path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (group, mode), path
    publish_run(home, "run-2")
    assert stat.S_IMODE(home.published.stat().st_mode) == 0o700  # the setting is gone: so is the way
