"""The names of a load's columns: any name of a source's lands, keeps one spelling, and meets no name of ours."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.contracts import LakeTable
from ingestion.errors import ContractBroken
from ingestion.landing import Delivery, LandingReport, land
from ingestion.sources.feeds.catalogue import FEEDS
from storage.lake import Lake

PAYMENTS = next(feed.lake_table for feed in FEEDS if feed.name == "payments")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


NAMES_OF_OURS = [
    "filename", "Filename", "filename_", "FILE_ROW_NUMBER", "file_index", "rowid", "_load_id", "_KNOWN_FROM", "_known_from_",
    "_known_time_basis", "_broken_rules", "_is_shared", "_was_shared", "_position", "_is_the_persons", "_note", "h0", "batch",
    "arrived", "lake_rows", "known", "shared", "suspects", "vanished", "lake", "select", "*", '"', "a\"b", "a'b", "a.b", "a`b",
    " a", "a\n", "${x}", "{{ x }}", "_change_type", "_commit_version", "_metadata", "nan", "null", "é", "é", "x" * 300,
]  # fmt: skip


def land_with(lake: Lake, names: list[str], value: str = "v", day: int = 20) -> LandingReport:
    own = {"payment_id": "P1", "invoice_id": "I1", "payment_date": "2026-01-05", "amount": "1", "currency": "EUR"}
    rows = pa.table([[text] for text in [*own.values(), *[value] * len(names)]], names=[*own, *names])
    return land(lake, PAYMENTS, Delivery(rows, 1), known_at=datetime(2026, 1, day, tzinfo=UTC), run_id="run")


@pytest.mark.parametrize("name", NAMES_OF_OURS, ids=repr)
def test_a_column_of_any_name_lands_once_and_is_compared(tmp_path: Path, name: str) -> None:
    check_any_names(tmp_path, [name])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(NAMES_OF_OURS), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_columns_of_any_names_land_or_are_refused_with_a_reason(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check_any_names(Path(folder), names)


def check_any_names(folder: Path, names: list[str]) -> None:
    lake = Lake(folder / "filename=1" / "lake")
    together = [*names, *pa_names(PAYMENTS)]
    try:
        first = land_with(lake, names)
    except ContractBroken as error:
        assert error.fix
        assert any(not name.strip() or "\0" in name for name in names) or len({*map(ascii_lower, together)}) < len(
            together
        )
        assert lake.tables() == []
        return
    assert (first.landed, first.set_aside) == (1, 0)
    assert land_with(lake, names, day=21).unchanged == 1
    assert land_with(lake, [name.swapcase() if name.isascii() else name for name in names], day=22).unchanged == 1
    assert land_with(lake, names, "w", day=23).landed == 1
    rows = lake.query(PAYMENTS.name, "from lake order by _load_id")
    assert rows is not None
    assert len(rows.column_names) == len({*map(ascii_lower, rows.column_names)}) == 5 + len(names) + 4
    assert [list(row.values()).count("w") for row in rows.to_pylist()] == [0, len(names)]


def ascii_lower(name: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


def pa_names(table: LakeTable) -> set[str]:
    return {*table.key, *(column for rule in table.rules for column in rule.columns)}


def test_a_column_that_differs_from_a_held_one_in_case_is_that_column(lake: Lake) -> None:
    land_with(lake, ["Region"])
    assert land_with(lake, ["region"], day=21).unchanged == 1
    assert "region" not in lake.columns(PAYMENTS.name)


@pytest.mark.parametrize(
    "names", [["Region", "region"], ["Amount"], ["filename", "FILENAME"], ["  "], [""], ["a\0"]], ids=repr
)
def test_columns_that_cannot_be_told_apart_are_refused_by_name(lake: Lake, names: list[str]) -> None:
    with pytest.raises(ContractBroken, match=r"no name|no more than case") as caught:
        land_with(lake, names)
    assert caught.value.fix
    assert lake.tables() == []


def test_a_folder_that_looks_like_a_partition_is_no_column(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "Region=emea" / "lake")
    land_with(lake, ["Region"])
    assert land_with(lake, ["Region"], day=21).unchanged == 1
    rows = lake.query(PAYMENTS.name, "select Region from lake")
    assert rows is not None
    assert rows.to_pylist() == [{"Region": "v"}]
