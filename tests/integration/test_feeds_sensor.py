"""The sensor on the drop folder, with a real Dagster instance and real files, through to the lake."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ingestion.sources.feeds.register import DROPPED_FILE_TABLE
from orchestration.assets.feeds import NOTHING_REFUSED, feed_tables
from orchestration.resources import Platform
from orchestration.sensors import DROP_TAG, choose_run_key, drop_folder
from storage.lake import Lake

HEADER = "payment_id,invoice_id,payment_date,amount,currency\n"
ONE = HEADER + "P1,I1,2026-01-05,100,USD\n"
TWO = HEADER + "P2,I1,2026-01-06,50,USD\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "incoming").mkdir()
    monkeypatch.setenv("SALESOPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SALESOPS_DROP_DIR", str(tmp_path / "incoming"))
    return tmp_path / "incoming"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def tick(instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorResult:
    result = drop_folder(dg.build_sensor_context(instance=instance, cursor=cursor))
    assert isinstance(result, dg.SensorResult)
    return result


def requested(instance: dg.DagsterInstance, cursor: str | None = None) -> tuple[dg.RunRequest, str | None]:
    """The request of the second of two ticks: the first sees a new file for the first time."""
    first = tick(instance, cursor)
    assert not first.run_requests
    second = tick(instance, first.cursor)
    assert second.run_requests and len(second.run_requests) == 1
    return second.run_requests[0], second.cursor


def run(instance: dg.DagsterInstance, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
    """What the main job does for the request, up to the lake."""
    return dg.materialize(
        [feed_tables],
        resources={"platform": Platform()},
        instance=instance,
        run_config=request.run_config,
        tags=dict(request.tags),
    )


def deny() -> None:
    raise PermissionError(errno.EACCES, "Permission denied")


def skip_reason(result: dg.SensorResult) -> str:
    assert isinstance(result.skip_reason, dg.SkipReason)
    return str(result.skip_reason.skip_message)


def test_a_dropped_file_starts_one_run_that_takes_it(folder: Path, instance: dg.DagsterInstance) -> None:
    (folder / "payments_1.csv").write_text(ONE)
    request, cursor = requested(instance)
    assert request.run_key == request.tags[DROP_TAG] and len(str(request.run_key)) == 64
    assert run(instance, request).success

    lake = Lake(folder.parent / "home" / "lake")
    assert lake.count_rows() == {DROPPED_FILE_TABLE: 1, "feed__payments": 1}
    for after in (cursor, None):  # a lost cursor, too
        again = tick(instance, after)
        assert not again.run_requests
        assert not tick(instance, again.cursor).run_requests


def test_two_files_of_one_feed_and_a_parquet_one_are_one_request(folder: Path, instance: dg.DagsterInstance) -> None:
    (folder / "payments_2.csv").write_text(TWO)
    (folder / "payments_1.csv").write_text(ONE)
    request, _ = requested(instance)
    result = run(instance, request)
    landed = {
        event.asset_key.to_user_string(): event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    assert landed["feed__payments"]["landed"].value == 2
    assert landed[DROPPED_FILE_TABLE]["taken"].value == "payments_1.csv, payments_2.csv"


def amounts(folder: Path) -> dict[str, str]:
    newest = "qualify _load_id = max(_load_id) over (partition by payment_id)"
    rows = Lake(folder.parent / "home" / "lake").query(
        "feed__payments", f"select payment_id, amount from lake {newest} order by payment_id"
    )
    assert rows is not None
    return {row["payment_id"]: row["amount"] for row in rows.to_pylist()}


def test_a_correction_waits_for_a_growing_file_and_another_feed_does_not(
    folder: Path, instance: dg.DagsterInstance
) -> None:
    growing = folder / "payments_1.csv"
    growing.write_text(ONE)
    (folder / "payments_2.csv").write_text(ONE.replace("100", "90"))
    cursor = tick(instance, None).cursor
    for number in range(3):
        growing.write_text(ONE + f"P{number},I1,2026-01-06,5{number},USD\n" * (number + 1))
        result = tick(instance, cursor)
        assert not result.run_requests, "the correction must not land before what it corrects"
        assert (
            skip_reason(result)
            == "Not settled yet: payments_1.csv. payments_2.csv waits for payments_1.csv, whose name comes before."
        )
        cursor = result.cursor

    (folder / "invoices_1.csv").write_text(
        "invoice_id,opportunity_id,invoice_date,amount,currency\nI1,006A,2026-01-02,200,USD\n"
    )
    growing.write_text(ONE + "P2,I1,2026-01-06,50,USD\n")
    cursor = tick(instance, cursor).cursor
    growing.write_text(ONE + "P2,I1,2026-01-06,50,USD\nP3,I1,2026-01-06,60,USD\n")
    result = tick(instance, cursor)
    assert result.run_requests is not None
    (request,) = result.run_requests
    growing.write_text(ONE + "P2,I1,2026-01-06,50,USD\nP3,I1,2026-01-06,60,USD\nP4,I1,2026-01-06,70,USD\n")
    run(instance, request)
    assert Lake(folder.parent / "home" / "lake").tables() == [DROPPED_FILE_TABLE, "feed__invoices"]

    request, cursor = requested(instance, result.cursor)
    run(instance, request)
    assert amounts(folder) == {"P1": "90", "P2": "50", "P3": "60", "P4": "70"}
    assert not tick(instance, cursor).run_requests


def test_a_file_that_comes_after_the_request_is_waited_for_and_the_next_run_takes_both(
    folder: Path, instance: dg.DagsterInstance
) -> None:
    (folder / "payments_2.csv").write_text(ONE.replace("100", "90"))
    request, cursor = requested(instance)
    (folder / "payments_1.csv").write_text(ONE)
    result = run(instance, request)
    (shown,) = [
        event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(DROPPED_FILE_TABLE)
    ]
    assert (shown["unsettled"].value, shown["waiting"].value) == ("payments_1.csv", "payments_2.csv")
    assert Lake(folder.parent / "home" / "lake").tables() == []
    again, cursor = requested(instance, cursor)
    assert again.run_key != request.run_key
    run(instance, again)
    assert amounts(folder) == {"P1": "90"}


def test_a_file_that_cannot_be_opened_is_reported_once_and_the_files_that_wait_start_no_run(
    folder: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "payments_1.csv").write_text(ONE)
    (folder / "payments_2.csv").write_text(ONE.replace("100", "90"))
    shown: list[str] = []
    cursor, real = None, Path.open
    with monkeypatch.context() as locked:
        # Permissions would not keep out every user that tests run as.
        locked.setattr(
            Path,
            "open",
            lambda path, *given, **named: deny() if path.name == "payments_1.csv" else real(path, *given, **named),
        )
        for _ in range(4):
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            context.log.warning = shown.append  # type: ignore[method-assign]
            result = drop_folder(context)
            assert isinstance(result, dg.SensorResult) and not result.run_requests
            cursor = result.cursor
    waits = "payments_2.csv waits for payments_1.csv, whose name comes before."
    assert shown == ["The file payments_1.csv cannot be read: Permission denied.", waits]
    assert waits in skip_reason(result)
    result = tick(instance, cursor)
    assert result.run_requests is not None
    (request,) = result.run_requests
    run(instance, request)
    assert amounts(folder) == {"P1": "90"}


def test_a_file_that_overtakes_a_later_name_is_reported(
    folder: Path, instance: dg.DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "payments_2.csv").write_text(ONE.replace("100", "90"))
    request, cursor = requested(instance)
    run(instance, request)
    (folder / "payments_1.csv").write_text(ONE)
    request, _ = requested(instance, cursor)
    result = run(instance, request)
    (shown,) = [
        event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(DROPPED_FILE_TABLE)
    ]
    assert "payments_1.csv now holds (1 of payments_2.csv)" in str(shown["note/payments_1.csv"].value)
    assert "payments_1.csv was taken after payments_2.csv, although its name comes before" in capsys.readouterr().err


def test_a_renamed_file_starts_nothing(folder: Path, instance: dg.DagsterInstance) -> None:
    (folder / "payments_1.csv").write_text(ONE)
    request, cursor = requested(instance)
    run(instance, request)
    (folder / "payments_1.csv").rename(folder / "payments_2.csv")
    for _ in range(3):
        result = tick(instance, cursor)
        assert not result.run_requests
        cursor = result.cursor


def test_a_refused_file_is_reported_once_and_the_others_land(
    folder: Path, instance: dg.DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "payments_1.csv").write_text(ONE + "P9,jane.doe@example.com\n")
    (folder / "payments_2.csv").write_text(TWO)
    request, cursor = requested(instance)
    result = run(instance, request)
    assert result.success
    (check,) = [check for check in result.get_asset_check_evaluations() if check.check_name == NOTHING_REFUSED]
    assert not check.passed
    assert "Line 3 of payments_1.csv has 2 fields" in str(check.metadata["refused/payments_1.csv"].value)
    said = capsys.readouterr().err
    assert "payments_1.csv was refused and stays where it is" in said and "jane.doe" not in said
    assert not tick(instance, cursor).run_requests

    (folder / "payments_3.csv").write_text(ONE)
    request, _ = requested(instance, cursor)
    again = run(instance, request)
    assert [check.passed for check in again.get_asset_check_evaluations() if check.check_name == NOTHING_REFUSED] == [
        True
    ]
    assert "payments_1.csv was refused" not in capsys.readouterr().err


def test_an_unknown_file_is_reported_once(folder: Path, instance: dg.DagsterInstance) -> None:
    (folder / "holidays.xlsx").write_text("x")
    shown = []
    cursor = None
    for _ in range(2):
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        context.log.warning = shown.append  # type: ignore[method-assign]
        result = drop_folder(context)
        assert isinstance(result, dg.SensorResult) and not result.run_requests
        assert "holidays.xlsx is left alone" in skip_reason(result)
        cursor = result.cursor
    assert len(shown) == 1


def test_a_run_that_nobody_asked_for_takes_dropped_files_too(
    folder: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESOPS_DROP_SETTLE_SECONDS", "0.01")
    (folder / "payments_1.csv").write_text(ONE)
    assert dg.materialize([feed_tables], resources={"platform": Platform()}, instance=instance).success
    assert Lake(folder.parent / "home" / "lake").count_rows()["feed__payments"] == 1


def test_no_folder_is_no_error(tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESOPS_HOME", str(tmp_path))
    assert "set SALESOPS_DROP_DIR" in skip_reason(tick(instance, None))
    monkeypatch.setenv("SALESOPS_DROP_DIR", str(tmp_path / "nowhere"))
    assert "does not exist" in skip_reason(tick(instance, None))
    monkeypatch.delenv("SALESOPS_DROP_DIR")
    monkeypatch.setenv("SALESOPS_FEEDS_DIR", str(tmp_path))
    assert "set SALESOPS_DROP_DIR" in skip_reason(tick(instance, None))
    (tmp_path / "incoming").mkdir()
    assert skip_reason(tick(instance, None)) == "No new file."


@pytest.mark.parametrize("cursor", ["", "nonsense", "{}", "[1]", json.dumps(["nonsense", []])])
def test_a_broken_cursor_is_none(folder: Path, instance: dg.DagsterInstance, cursor: str) -> None:
    (folder / "payments_1.csv").write_text(ONE)
    requested(instance, cursor)


@dg.op
def fail() -> None:
    raise RuntimeError("the CRM is away")


@dg.job(name="salesops")
def stand_in() -> None:
    fail()


def play(instance: dg.DagsterInstance, key: str) -> datetime:
    result = stand_in.execute_in_process(instance=instance, tags={DROP_TAG: key}, raise_on_error=False)
    record = instance.get_run_record_by_id(result.run_id)
    assert record is not None and record.end_time
    return datetime.fromtimestamp(record.end_time, UTC)


def test_after_a_failed_run_another_is_asked_for_in_growing_pauses(instance: dg.DagsterInstance) -> None:
    now = datetime.now(UTC)
    assert choose_run_key(instance, "k", now=now) == ("k", "")
    for attempt, minutes in enumerate((5, 10, 20), start=1):
        ended = play(instance, "k")
        assert choose_run_key(instance, "k", now=ended + timedelta(minutes=minutes, seconds=-1))[0] is None
        assert choose_run_key(instance, "k", now=ended + timedelta(minutes=minutes, seconds=1))[0] == f"k:{attempt}"
    assert choose_run_key(instance, "other", now=now)[0] == "other"


def test_a_run_in_progress_is_waited_for_but_not_a_killed_one(instance: dg.DagsterInstance) -> None:
    instance.create_run_for_job(stand_in, status=dg.DagsterRunStatus.STARTED)
    now = datetime.now(UTC)
    assert choose_run_key(instance, "k", now=now)[0] is None
    assert choose_run_key(instance, "k", now=now + timedelta(hours=7))[0] == "k"


def test_it_is_off_until_somebody_switches_it_on() -> None:
    assert drop_folder.default_status == dg.DefaultSensorStatus.STOPPED
