"""Records that are gone from a source: marked deleted by a load that brings every record, once, and by no other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from ingestion.landing import Delivery, LandingReport, Whole, land
from ingestion.sources.salesforce.objects import find_object
from storage import lake_writer
from storage.errors import StorageError
from storage.lake import Lake, LoadRecord

land_module = sys.modules["ingestion.landing.land"]  # the package gives the name `land` to the function

TABLE = "salesforce__product2"
Row = tuple[str, int, str]  # name, day of the stamp, IsDeleted


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def id_of(name: str) -> str:
    return f"01t{name:0>15}"


def rows_of(*rows: Row | str, **more: str) -> pa.Table:
    """Products; one given by its name alone has the stamp of day 5 and is alive."""
    full = [(row, 5, "false") if isinstance(row, str) else row for row in rows]
    stamps = [f"2026-01-{day:02}T10:00:00.000Z" for _, day, _ in full]
    return pa.table(
        {
            "Id": pa.array([id_of(name) for name, _, _ in full], pa.string()),
            "Name": pa.array([f"Product {name}" for name, _, _ in full], pa.string()),
            "CreatedDate": pa.array(stamps, pa.string()),
            "SystemModstamp": pa.array(stamps, pa.string()),
            "IsDeleted": pa.array([deleted for _, _, deleted in full], pa.string()),
            **{name: pa.array([value] * len(full), pa.string()) for name, value in more.items()},
        }
    )


def nothing() -> Iterable[pa.Table]:
    return ()


def put(
    lake: Lake,
    *rows: Row | str | pa.Table,
    day: int = 20,
    whole: bool = True,
    others: Callable[[], Iterable[pa.Table]] = nothing,
    share: str = "0.05",
    source_count: int | None = None,
) -> LandingReport:
    table = rows[0] if rows and isinstance(rows[0], pa.Table) else rows_of(*rows)
    return land(
        lake,
        find_object("Product2").lake_table,
        Delivery(
            table,
            table.num_rows if source_count is None else source_count,
            cursor=f"day {day}",
            window=(None, f"day {day}"),
            compare_values=whole,
            whole=Whole("IsDeleted", others, Decimal(share)) if whole else None,
        ),
        known_at=datetime(2026, 1, day, tzinfo=UTC),
        run_id="run",
        keep_record=whole,
    )


def held(lake: Lake, columns: str, where: str = "true") -> list[tuple[object, ...]]:
    table = lake.query(TABLE, f"select {columns} from lake where {where} order by all")
    assert table is not None
    return [tuple(row.values()) for row in table.to_pylist()]


def alive(lake: Lake) -> set[object]:
    """Names of the records that staging takes for alive, by the order of the macro `latest_version`."""
    order = "SystemModstamp desc nulls last, _known_from desc nulls last, _load_id desc nulls last"
    newest = f"(from lake where _broken_rules is null qualify row_number() over (partition by Id order by {order}) = 1)"
    table = lake.query(TABLE, f"select ltrim(substr(Id, 4), '0') as name from {newest} where IsDeleted <> 'true'")
    assert table is not None
    return set(table.column("name").to_pylist())


def newest_load(lake: Lake) -> LoadRecord:
    load = lake.newest_load(TABLE)
    assert load is not None
    return load


def test_a_record_that_is_gone_lands_once_more_as_deleted(lake: Lake) -> None:
    put(lake, "1", "2", ("3", 4, "false"), whole=False)
    put(lake, ("3", 6, "false"), day=21, whole=False)

    report = put(lake, "1", day=22)

    assert (report.landed, report.unchanged, report.vanished.tombstones, report.version) == (0, 1, 2, 2)
    assert alive(lake) == {"1"}
    everything = "Name, SystemModstamp, IsDeleted, _known_from::varchar, _known_time_basis, _broken_rules"
    assert held(lake, everything, f"_load_id = '{report.load_id}'") == [
        ("Product 2", "2026-01-05T10:00:00.000Z", "true", "2026-01-22 00:00:00", "load", None),
        ("Product 3", "2026-01-06T10:00:00.000Z", "true", "2026-01-22 00:00:00", "load", None),
    ]


def test_the_source_is_said_to_have_delivered_none_of_them(lake: Lake) -> None:
    put(lake, "1", "2", "3", whole=False)
    put(lake, "1", "4", day=21)

    load = newest_load(lake)

    assert (load.source_count, load.landed_count, load.unchanged_count, load.set_aside_count, load.tombstone_count) == (
        2,
        1,
        1,
        0,
        2,
    )
    with pytest.raises(StorageError, match="The source says 3 rows"):
        put(lake, "1", "4", day=22, source_count=3)


def test_a_second_whole_read_lands_nothing_more(lake: Lake) -> None:
    put(lake, "1", "2", whole=False)
    put(lake, "1", day=21)
    before = lake.snapshot()

    report = put(lake, "1", day=22)

    assert (report.vanished.records, report.version) == (0, None)
    assert lake.snapshot().fingerprint == before.fingerprint


def test_tombstones_alone_are_something_to_build_for(lake: Lake) -> None:
    put(lake, "1", "2", whole=False)
    before = lake.snapshot()
    assert put(lake, "1", day=21).is_changed
    assert lake.snapshot().fingerprint != before.fingerprint


def test_a_load_that_is_not_whole_says_nothing_of_what_it_does_not_bring(lake: Lake) -> None:
    put(lake, "1", "2", whole=False)
    put(lake, ("3", 6, "false"), day=21, whole=False)
    assert alive(lake) == {"1", "2", "3"}


def test_records_that_are_known_to_be_deleted_are_left_alone(lake: Lake) -> None:
    put(lake, "1", ("2", 5, "true"), whole=False)
    assert put(lake, "1", day=21).vanished.records == 0


def test_a_whole_read_that_brings_nothing(lake: Lake) -> None:
    assert put(lake).version is None
    assert lake.tables() == []
    put(lake, "1", "2", whole=False)
    assert put(lake, day=21).vanished.tombstones == 0  # all at once is not believed
    assert put(lake, day=22, share="1").vanished.tombstones == 2
    assert alive(lake) == set()


def test_records_that_only_changed_after_the_window_stay_alive(lake: Lake) -> None:
    put(lake, "1", "2", "3", "4", whole=False)
    report = put(lake, "1", day=21, others=lambda: [rows_of("2").select(["Id"]), rows_of("4", "9").select(["Id"])])
    assert report.vanished.tombstones == 1
    assert alive(lake) == {"1", "2", "4"}


def test_the_source_is_asked_again_only_where_a_record_is_missing(lake: Lake) -> None:
    def refuse() -> Iterable[pa.Table]:
        raise AssertionError("asked")

    put(lake, "1", "2", whole=False)
    put(lake, "1", "2", ("3", 6, "false"), day=21, others=refuse)
    with pytest.raises(AssertionError, match="asked"):
        put(lake, "1", "3", day=22, others=refuse)


def test_a_record_that_comes_only_to_be_set_aside_has_come(lake: Lake) -> None:
    put(lake, "1", "2", whole=False)
    broken = rows_of("1", ("2", 6, "false")).set_column(
        3, "SystemModstamp", pa.array(["2026-01-05T10:00:00.000Z", "the other day"])
    )

    report = put(lake, broken, day=21)

    assert (report.set_aside, report.vanished.records) == (1, 0)
    assert alive(lake) == {"1", "2"}


def test_a_record_whose_newest_version_was_set_aside_is_marked_deleted_as_it_last_was_right(lake: Lake) -> None:
    put(lake, "1", "2", whole=False)
    broken = rows_of(("2", 6, "false")).set_column(2, "CreatedDate", pa.array(["the other day"]))
    assert put(lake, broken, day=21, whole=False).set_aside == 1

    report = put(lake, "1", day=22)

    assert report.vanished.tombstones == 1
    assert alive(lake) == {"1"}
    assert held(lake, "CreatedDate, IsDeleted", f"_load_id = '{report.load_id}'") == [
        ("2026-01-05T10:00:00.000Z", "true")
    ]


def test_the_newest_version_is_the_one_with_the_newest_stamp(lake: Lake) -> None:
    put(lake, "1", ("2", 6, "false"), ("3", 6, "true"), whole=False)
    put(lake, "2", "3", day=21, whole=False)  # late, with older stamps

    report = put(lake, "1", day=22)

    assert held(lake, "Id, SystemModstamp", f"_load_id = '{report.load_id}'") == [
        (id_of("2"), "2026-01-06T10:00:00.000Z")
    ]
    assert alive(lake) == {"1"}


def test_a_record_that_was_never_right_is_not_marked(lake: Lake) -> None:
    put(
        lake,
        rows_of("1", "2").set_column(3, "SystemModstamp", pa.array(["2026-01-05T10:00:00.000Z", "x"])),
        whole=False,
    )
    assert put(lake, "1", day=21).vanished.records == 0


def test_a_load_for_an_earlier_instant_cannot_tell_what_is_gone(lake: Lake) -> None:
    put(lake, "1", whole=False)
    put(lake, ("2", 21, "false"), day=22, whole=False)
    assert put(lake, "1", day=21).vanished.records == 0
    assert put(lake, "1", day=22).vanished.tombstones == 1  # of two loads for one instant the later one can
    assert alive(lake) == {"1"}


@pytest.mark.parametrize("day_of_stamp", [5, 6], ids=["the same stamp", "a newer stamp"])
def test_a_record_that_comes_back_is_alive_again_and_may_go_again(lake: Lake, day_of_stamp: int) -> None:
    put(lake, "1", "2", whole=False)
    put(lake, "1", day=21)
    assert alive(lake) == {"1"}

    assert put(lake, "1", ("2", day_of_stamp, "false"), day=22).landed == 1
    assert alive(lake) == {"1", "2"}
    assert put(lake, "1", ("2", day_of_stamp, "false"), day=23).version is None
    assert put(lake, "1", day=24).vanished.tombstones == 1
    assert alive(lake) == {"1"}


def test_an_undelete_comes_by_an_ordinary_window(lake: Lake) -> None:
    put(lake, "1", "2", whole=False)
    put(lake, "1", day=21)
    assert put(lake, ("2", 22, "false"), day=23, whole=False).landed == 1
    assert alive(lake) == {"1", "2"}


def test_columns_that_came_and_went(lake: Lake) -> None:
    put(lake, rows_of("1", "2", Colour__c="red"), whole=False)
    put(lake, rows_of("1", Size__c="5"), day=21)
    assert held(lake, "Colour__c, Size__c, IsDeleted", f"Id = '{id_of('2')}'") == [
        ("red", None, "false"),
        ("red", None, "true"),
    ]
    put(lake, "3", day=22, share="1")
    assert alive(lake) == {"3"}


class TestDoubt:
    """So many may be gone because somebody took the permission to see them."""

    @pytest.mark.parametrize(
        ("gone", "share", "is_believed"),
        [
            (100, "0.05", True),
            (101, "0.05", False),
            (101, "0.5", False),
            (101, "0.505", True),
            (150, "0.75", True),
            (200, "1", True),
            (101, "0", False),
            (1, "0", False),
            (200, "0.05", False),
        ],
    )
    def test_more_than_a_share_and_a_hundred_records(
        self, lake: Lake, gone: int, share: str, is_believed: bool
    ) -> None:
        names = [str(number) for number in range(200)]
        put(lake, *names, ("900", 5, "true"), whole=False)

        report = put(lake, *names[gone:], "500", day=21, share=share)

        assert (report.landed, report.vanished.records, report.vanished.is_believed) == (1, gone, is_believed)
        assert report.vanished.tombstones == newest_load(lake).tombstone_count == (gone if is_believed else 0)
        assert len(alive(lake)) == 201 - (gone if is_believed else 0)
        assert newest_load(lake).details.get("vanished") == (None if is_believed else f"{gone}/200")

    def test_records_that_changed_after_the_window_do_not_count(self, lake: Lake) -> None:
        names = [str(number) for number in range(200)]
        put(lake, *names, whole=False)
        report = put(lake, *names[150:], day=21, others=lambda: [rows_of(*names[50:150]).select(["Id"])])
        assert report.vanished.tombstones == 50
        assert alive(lake) == set(names[50:])


def test_many_records_in_many_files(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(land_module, "ROWS_AT_A_TIME", 64)
    monkeypatch.setattr(lake_writer, "ROWS_PER_FILE", 100)
    names = [str(number) for number in range(1000)]
    put(lake, *names[:700], whole=False)
    put(lake, *[(name, 6, "false") for name in names[600:]], day=21, whole=False)

    report = put(lake, *[(name, 5 if int(name) < 600 else 6, "false") for name in names if int(name) % 20], day=22)

    assert (report.landed, report.unchanged, report.vanished.tombstones) == (0, 950, 50)
    assert alive(lake) == {name for name in names if int(name) % 20}
    stamps = held(lake, "SystemModstamp, count(*)", f"_load_id = '{report.load_id}' group by 1")
    assert stamps == [("2026-01-05T10:00:00.000Z", 30), ("2026-01-06T10:00:00.000Z", 20)]
