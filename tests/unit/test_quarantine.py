"""Rows that were set aside: listed with why, and brought back by what was put right, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingestion.contracts import LakeTable
from ingestion.contracts.rules import Rule, matches
from ingestion.errors import QuarantineError
from ingestion.landing import Delivery, LandingReport, Whole, land
from ingestion.quarantine import list_quarantine, replay_quarantine
from ingestion.sources import tables
from storage.lake import Lake

OPPORTUNITY, PAYMENTS, PRODUCT = "salesforce__opportunity_line_item", "feed__payments", "salesforce__product2"
WHOLE_NUMBER = matches("Size__c", r"[0-9]+", "whole")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def at(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


def put_versions(
    lake: Lake, table_name: str, rows: pa.Table, day: int, *, keep_record: bool = False, **options: Any
) -> LandingReport:
    """Rows of a Salesforce object."""
    table = LakeTable(table_name, ("Id",), "SystemModstamp", rules=tables.rules_for(table_name))
    delivery = Delivery(rows, rows.num_rows, cursor=f"day {day}", **options)
    return land(lake, table, delivery, known_at=at(day), run_id="run", keep_record=keep_record)


def put_items(
    lake: Lake, *rows: tuple[str, str, str], day: int = 20, more_rules: tuple[Rule, ...] = ()
) -> LandingReport:
    """(number of the id, day of the stamp, quantity)."""
    table = pa.table(
        {
            "Id": [f"00k{number:0>15}" for number, _, _ in rows],
            "OpportunityId": ["006000000000001AAA"] * len(rows),
            "Quantity": [quantity for _, _, quantity in rows],
            "SystemModstamp": [f"2026-01-{stamp}T10:00:00.000Z" for _, stamp, _ in rows],
        }
    )
    return put_versions(lake, OPPORTUNITY, table, day, more_rules=more_rules)


def put_payments(lake: Lake, *rows: tuple[str, str], day: int = 20) -> LandingReport:
    """(payment id, amount)."""
    table = pa.table(
        {
            "payment_id": [identifier for identifier, _ in rows],
            "invoice_id": ["I1"] * len(rows),
            "payment_date": ["2026-01-05"] * len(rows),
            "amount": [amount for _, amount in rows],
            "currency": ["USD"] * len(rows),
        }
    )
    payments = LakeTable(PAYMENTS, ("payment_id",), rules=tables.rules_for(PAYMENTS))
    return land(lake, payments, Delivery(table, len(rows)), known_at=at(day), run_id="run")


def put_products(
    lake: Lake, *rows: tuple[str, str, str], day: int, is_whole: bool = False, more_rules: tuple[Rule, ...] = ()
) -> LandingReport:
    """(number of the id, day of the stamp, size), alive; of a whole read what did not come is marked deleted."""
    table = pa.table(
        {
            "Id": [f"01t{number:0>15}" for number, _, _ in rows],
            "Name": ["Desk"] * len(rows),
            "Size__c": [size for _, _, size in rows],
            "IsDeleted": ["false"] * len(rows),
            "CreatedDate": ["2026-01-01T00:00:00.000Z"] * len(rows),
            "SystemModstamp": [f"2026-01-{stamp}T10:00:00.000Z" for _, stamp, _ in rows],
        }
    )
    whole = Whole("IsDeleted", list, Decimal("0.5")) if is_whole else None
    return put_versions(
        lake, PRODUCT, table, day, more_rules=more_rules, compare_values=is_whole, keep_record=is_whole, whole=whole
    )


def products(lake: Lake) -> list[tuple[object, ...]]:
    """(id, whether deleted, size) as staging shows them: the macro `latest_version`."""
    newest = (
        "partition by Id order by SystemModstamp desc nulls last, _known_from desc nulls last, _load_id desc nulls last"
    )
    state = f"select right(Id, 1) as id, IsDeleted, Size__c from lake where _broken_rules is null qualify row_number() over ({newest}) = 1"
    found = lake.query(PRODUCT, f"{state} order by all")
    return [tuple(row.values()) for row in found.to_pylist()] if found else []


def good_rows(lake: Lake, table: str, columns: str) -> list[tuple[object, ...]]:
    found = lake.query(table, f"select {columns} from lake where _broken_rules is null order by all")
    return [tuple(row.values()) for row in found.to_pylist()] if found else []


def loosen(monkeypatch: pytest.MonkeyPatch, rule_name: str) -> None:
    """The rule was too strict: it lets any text pass now."""

    def loosened(table: str) -> tuple[Rule, ...]:
        return tuple(
            replace(rule, pattern=".*") if rule.name == rule_name else rule for rule in tables.rules_for(table)
        )

    monkeypatch.setattr("ingestion.quarantine.rules_for", loosened)


def test_what_was_set_aside_is_listed_by_its_reasons(lake: Lake) -> None:
    put_items(lake, ("1", "05", "3"), ("2", "05", "many"), ("3", "99", "some"))
    put_items(lake, ("4", "06", "few"), day=21)
    listed = [(entry.table, entry.rules, entry.rows) for entry in list_quarantine(lake)]
    assert listed == [
        (OPPORTUNITY, ("quantity_is_decimal",), 2),
        (OPPORTUNITY, ("system_modstamp_is_timestamp", "quantity_is_decimal"), 1),
    ]
    with pytest.raises(QuarantineError, match="no table 'nonsense'"):
        list_quarantine(lake, "nonsense")


def test_a_replay_without_a_fix_changes_nothing(lake: Lake) -> None:
    put_items(lake, ("1", "05", "3"), ("2", "05", "many"))
    before = lake.snapshot()
    replayed = replay_quarantine(lake, OPPORTUNITY, known_at=at(22), run_id="replay")
    assert (replayed.landed, replayed.still_broken) == (0, 1)
    assert lake.snapshot() == before


def test_after_a_fix_rows_come_back_once_and_the_cursor_stays(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    put_items(lake, ("1", "05", "3"), ("2", "05", "many"), ("3", "99", "some"))
    loosen(monkeypatch, "quantity_is_decimal")
    replayed = replay_quarantine(lake, OPPORTUNITY, known_at=at(22), run_id="replay")
    assert (replayed.landed, replayed.still_broken) == (1, 1)
    assert good_rows(lake, OPPORTUNITY, "Quantity, _known_from::varchar, _load_id") == [
        ("3", "2026-01-20 00:00:00", f"{OPPORTUNITY}:20260120T000000Z:000001"),
        ("many", "2026-01-22 00:00:00", f"{OPPORTUNITY}:20260122T000000Z:000002"),
    ]
    newest = lake.newest_load(OPPORTUNITY)
    assert newest is not None
    assert (newest.cursor, newest.landed_count, newest.details["replayed"]) == ("day 20", 1, "true")
    assert [entry.rules for entry in list_quarantine(lake)] == [("system_modstamp_is_timestamp", "quantity_is_decimal")]
    assert replay_quarantine(lake, OPPORTUNITY, known_at=at(23), run_id="replay").landed == 0


def test_a_row_that_its_source_corrected_is_not_brought_back(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    put_payments(lake, ("P1", "ten"), ("P2", "twenty"))
    put_payments(lake, ("P1", "10"), ("P2", "twenty"), day=21)
    assert [(entry.rows, entry.last_load.split(":")[1]) for entry in list_quarantine(lake)] == [(1, "20260120T000000Z")]
    loosen(monkeypatch, "amount_is_decimal")
    assert replay_quarantine(lake, PAYMENTS, known_at=at(22), run_id="replay").landed == 1
    assert good_rows(lake, PAYMENTS, "payment_id, amount") == [("P1", "10"), ("P2", "twenty")]
    assert put_payments(lake, ("P1", "10"), ("P2", "twenty"), day=23).version is None


def test_only_the_source_can_say_which_of_two_rows_with_one_key_is_right(lake: Lake) -> None:
    put_payments(lake, ("P1", "10"), ("P1", "11"))
    assert replay_quarantine(lake, PAYMENTS, known_at=at(22), run_id="replay").landed == 0


@pytest.mark.parametrize(("settled", "landed"), [(False, 0), (True, 1)])
def test_a_row_that_broke_a_rule_of_its_load_only_lands_once_that_is_settled(
    lake: Lake, settled: bool, landed: int
) -> None:
    was_number = matches("Quantity", r"[0-9]+", "whole")
    put_items(lake, ("1", "05", "3.5"), more_rules=(was_number,))
    replayed = replay_quarantine(
        lake, OPPORTUNITY, known_at=at(22), run_id="replay", is_settled=lambda rule: settled and rule == was_number.name
    )
    assert replayed.landed == landed


def test_a_record_that_was_marked_deleted_since_is_not_brought_back_to_life(lake: Lake) -> None:
    put_products(lake, ("1", "02", "5"), ("2", "02", "5"), day=3)
    put_products(lake, ("1", "04", "big"), ("2", "04", "big"), day=5, more_rules=(WHOLE_NUMBER,))
    put_products(lake, ("2", "04", "big"), day=10, is_whole=True)
    assert products(lake) == [("1", "true", "5"), ("2", "false", "5")]
    assert [entry.rows for entry in list_quarantine(lake)] == [1]

    replayed = replay_quarantine(lake, PRODUCT, known_at=at(11), run_id="replay", is_settled=lambda rule: True)
    assert (replayed.landed, replayed.still_broken) == (1, 0)
    assert products(lake) == [("1", "true", "5"), ("2", "false", "big")]


def test_an_older_version_of_a_record_that_was_deleted_since_comes_back_as_its_history(lake: Lake) -> None:
    put_products(lake, ("1", "04", "big"), ("2", "02", "5"), day=5, more_rules=(WHOLE_NUMBER,))
    put_products(lake, ("1", "06", "6"), day=7)
    put_products(lake, ("2", "02", "5"), day=10, is_whole=True)
    assert replay_quarantine(lake, PRODUCT, known_at=at(11), run_id="replay", is_settled=lambda rule: True).landed == 1
    assert products(lake) == [("1", "true", "6"), ("2", "false", "5")]


@pytest.mark.parametrize("rules", [(), (WHOLE_NUMBER,)], ids=["put right", "still broken"])
def test_a_record_that_its_source_shows_again_comes_back_by_itself(lake: Lake, rules: tuple[Rule, ...]) -> None:
    """A user who may not see a record for a while, then sees it as it was: the version that was set aside comes once more."""
    put_products(lake, ("1", "02", "5"), ("2", "02", "5"), day=3)
    put_products(lake, ("1", "04", "big"), day=5, more_rules=(WHOLE_NUMBER,))
    put_products(lake, ("2", "02", "5"), day=10, is_whole=True)
    put_products(lake, ("1", "04", "big"), ("2", "02", "5"), day=17, is_whole=True, more_rules=rules)
    assert [entry.rows for entry in list_quarantine(lake)] == ([1] if rules else [])

    replay_quarantine(lake, PRODUCT, known_at=at(18), run_id="replay", is_settled=lambda rule: True)
    assert products(lake) == [("1", "false", "big"), ("2", "false", "5")]
    assert put_products(lake, ("1", "04", "big"), ("2", "02", "5"), day=24, is_whole=True).version is None
