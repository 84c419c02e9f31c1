"""What landed and should not have is withdrawn: it stays in the lake, counts for nothing, and can be reinstated."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from ingestion.contracts import LakeTable
from ingestion.errors import WithdrawalError
from ingestion.landing import Delivery, LandingReport, Whole, land
from ingestion.quarantine import list_quarantine, replay_quarantine
from ingestion.sources.feeds.catalogue import FEEDS
from ingestion.sources.salesforce.objects import find_object
from ingestion.withdrawal import reinstate, withdraw_load, withdraw_record
from storage.append import append_once
from storage.errors import StorageError
from storage.lake import BROKEN_RULES, Lake
from storage.withdrawals import query_standing, read_withdrawals

PAYMENTS = next(feed.lake_table for feed in FEEDS if feed.name == "payments")
QUOTAS = next(feed.lake_table for feed in FEEDS if feed.name == "quotas")
HISTORY = find_object("OpportunityHistory").lake_table


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def at(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


def pay(lake: Lake, day: int, **amounts: str) -> LandingReport:
    """One load of payments, by id."""
    count = len(amounts)
    rows = {"invoice_id": ["I1"] * count, "payment_date": ["2026-01-05"] * count, "currency": ["USD"] * count}
    table = pa.table({"payment_id": list(amounts), "amount": list(amounts.values()), **rows})
    return land(lake, PAYMENTS, Delivery(table, count), known_at=at(day), run_id="run")


def change(lake: Lake, day: int, *rows: tuple[str, str], whole: bool = False, by_version: bool = True) -> LandingReport:
    """One load of stage changes: (number of the id, stage)."""
    table = pa.table(
        {
            "Id": [f"008{number:0>15}" for number, _ in rows],
            "OpportunityId": ["006000000000001AAA"] * len(rows),
            "StageName": [stage for _, stage in rows],
            "CreatedDate": ["2026-01-05T10:00:00.000Z"] * len(rows),
            "SystemModstamp": ["2026-01-05T10:00:00.000Z"] * len(rows),
            "IsDeleted": ["false"] * len(rows),
        }
    )
    delivery = Delivery(
        table,
        len(rows),
        compare_values=not by_version,
        whole=Whole("IsDeleted", lambda: iter(()), Decimal(1)) if whole else None,
    )
    return land(lake, HISTORY, delivery, known_at=at(day), run_id="run")


def named_as(*ids: str) -> pa.Table:
    """Stage changes of these ids."""
    stamp = ["2026-01-05T10:00:00.000Z"] * len(ids)
    return pa.table(
        {
            "Id": list(ids),
            "OpportunityId": ["006000000000001AAA"] * len(ids),
            "StageName": ["Proposal"] * len(ids),
            "CreatedDate": stamp,
            "SystemModstamp": stamp,
        }
    )


def standing(lake: Lake, table: LakeTable, columns: str) -> list[tuple[str, ...]]:
    rows = query_standing(lake, table.name, f"select {columns} from lake where {BROKEN_RULES} is null order by all")
    return [tuple(row.values()) for row in rows.to_pylist()] if rows else []


def paid(lake: Lake) -> dict[str, str]:
    """The newest amount of each payment that counts."""
    newest = query_standing(
        lake,
        PAYMENTS.name,
        "select payment_id, amount from lake qualify row_number() over (partition by payment_id order by _load_id desc) = 1",
    )
    return {row["payment_id"]: row["amount"] for row in newest.to_pylist()} if newest else {}


def how(day: int) -> dict[str, object]:
    return {"reason": "a test file", "known_at": at(day), "run_id": "run"}


def test_a_withdrawn_load_counts_for_nothing_and_what_it_corrected_is_back(lake: Lake) -> None:
    pay(lake, 1, P1="10", P2="20")
    junk = pay(lake, 2, P2="999", P3="30")
    entry = withdraw_load(lake, PAYMENTS.name, str(junk.load_id), **how(3))
    assert entry.row_count == 2
    assert paid(lake) == {"P1": "10", "P2": "20"}
    assert lake.count_rows()[PAYMENTS.name] == 4  # nothing is lost


def test_rows_of_a_withdrawn_load_land_again_when_their_source_insists(lake: Lake) -> None:
    pay(lake, 1, P1="10")
    junk = pay(lake, 2, P1="11", P2="20")
    withdraw_load(lake, PAYMENTS.name, str(junk.load_id), **how(3))
    again = pay(lake, 4, P1="10", P2="20")
    assert (again.landed, again.unchanged) == (1, 1)
    assert paid(lake) == {"P1": "10", "P2": "20"}


def test_a_reinstated_load_counts_unless_something_newer_replaced_it(lake: Lake) -> None:
    pay(lake, 1, P1="10")
    second = pay(lake, 2, P1="11", P2="20")
    entry = withdraw_load(lake, PAYMENTS.name, str(second.load_id), **how(3))
    pay(lake, 4, P1="12")
    reinstate(lake, entry.withdrawal_id, **how(5))
    assert paid(lake) == {"P1": "12", "P2": "20"}
    assert [each.is_in_force for _, each in read_withdrawals(lake)] == [False]
    with pytest.raises(WithdrawalError, match="is in force"):
        reinstate(lake, entry.withdrawal_id, **how(6))


def test_a_withdrawn_record_stays_withdrawn_until_its_source_changes_it(lake: Lake) -> None:
    pay(lake, 1, P1="10", P2="20")
    pay(lake, 2, P1="11")
    assert withdraw_record(lake, PAYMENTS.name, {"payment_id": "P1"}, **how(3)).row_count == 2
    assert pay(lake, 4, P1="11").unchanged == 1
    assert paid(lake) == {"P2": "20"}
    assert pay(lake, 5, P1="12").landed == 1
    assert paid(lake) == {"P1": "12", "P2": "20"}


def test_a_key_of_several_columns_names_one_record(lake: Lake) -> None:
    rows = pa.table(
        {
            "employee_id": ["E1", "E1", "E2"],
            "period_start": ["2026-01-01", "2026-02-01", "2026-01-01"],
            "quota_amount": ["1", "2", "3"],
            "currency": ["USD"] * 3,
        }
    )
    land(lake, QUOTAS, Delivery(rows, 3), known_at=at(1), run_id="run")
    with pytest.raises(WithdrawalError, match="employee_id and period_start"):
        withdraw_record(lake, QUOTAS.name, {"employee_id": "E1"}, **how(2))
    withdraw_record(lake, QUOTAS.name, {"period_start": "2026-01-01", "employee_id": "E1"}, **how(2))
    assert standing(lake, QUOTAS, "employee_id, quota_amount") == [("E1", "2"), ("E2", "3")]


def test_a_record_is_named_by_its_short_id_and_with_blanks_around_it(lake: Lake) -> None:
    land(lake, HISTORY, Delivery(named_as("0080000000AbCdEFAU", "0080000000aBcDeAAJ"), 2), known_at=at(2), run_id="run")
    assert withdraw_record(lake, HISTORY.name, {"Id": " 0080000000aBcDe "}, **how(3)).key == {
        "Id": "0080000000aBcDeAAJ"
    }
    assert ("0080000000AbCdEFAU",) in standing(lake, HISTORY, '"Id"')
    assert ("0080000000aBcDeAAJ",) not in standing(lake, HISTORY, '"Id"')


def test_blanks_that_a_source_put_around_a_key_do_not_matter(lake: Lake) -> None:
    pay(lake, 1, **{"P1 ": "10", "P2": "20"})
    withdraw_record(lake, PAYMENTS.name, {"payment_id": "P1"}, **how(2))
    assert paid(lake) == {"P2": "20"}


def test_a_withdrawn_record_is_neither_marked_deleted_nor_brought_back_by_a_full_read(lake: Lake) -> None:
    change(lake, 1, ("1", "Proposal"), ("2", "Proposal"))
    withdraw_record(lake, HISTORY.name, {"Id": f"008{'1':0>15}"}, **how(2))
    report = change(lake, 3, ("2", "Proposal"), whole=True)
    assert report.vanished.records == 0
    change(lake, 4, ("1", "Proposal"), ("2", "Proposal"), whole=True, by_version=False)
    assert standing(lake, HISTORY, '"Id"') == [(f"008{'2':0>15}",)]


def test_versions_of_a_withdrawn_load_come_back_with_a_full_read(lake: Lake) -> None:
    first = change(lake, 1, ("1", "Proposal"))
    withdraw_load(lake, HISTORY.name, str(first.load_id), **how(2))
    assert change(lake, 3, ("1", "Proposal")).landed == 1


def test_withdrawn_rows_leave_quarantine(lake: Lake) -> None:
    junk = pay(lake, 1, P1="many", P2="20")
    assert [entry.rows for entry in list_quarantine(lake)] == [1]
    withdraw_load(lake, PAYMENTS.name, str(junk.load_id), **how(2))
    assert list_quarantine(lake) == []
    assert replay_quarantine(lake, PAYMENTS.name, known_at=at(3), run_id="run").still_broken == 0


def test_what_is_not_there_cannot_be_withdrawn(lake: Lake) -> None:
    load = pay(lake, 1, P1="10")
    append_once(lake, "settings__org", pa.table({"week_start": ["monday"]}), known_at=at(1), run_id="run")
    for table, name, message in (
        ("feed__nothing", str(load.load_id), "no table"),
        (PAYMENTS.name, "feed__payments:20250101T000000Z:000009", "no load"),
        ("settings__org", "x", "Salesops writes it"),
    ):
        with pytest.raises((WithdrawalError, StorageError), match=message) as caught:
            withdraw_load(lake, table, name, **how(2))
        assert caught.value.fix
    with pytest.raises(WithdrawalError, match="no record payment_id=P9"):
        withdraw_record(lake, PAYMENTS.name, {"payment_id": "P9"}, **how(2))
    withdraw_load(lake, PAYMENTS.name, str(load.load_id), **how(2))
    with pytest.raises(WithdrawalError, match="no rows that count"):
        withdraw_load(lake, PAYMENTS.name, str(load.load_id), **how(3))
    assert len(read_withdrawals(lake)) == 1
