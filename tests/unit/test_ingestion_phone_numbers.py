"""Numbers as people, exchanges and providers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.errors import IngestionError
from ingestion.sources.calls.rows import with_e164
from ingestion.sources.phone_numbers import e164_reader, to_e164
from tests.call_servers import WITHHELD


@pytest.mark.parametrize(
    ("written", "region", "read"),
    [
        ("+1 800-123-4567", "FR", "+18001234567"),
        ("(212) 555-0199", "US", "+12125550199"),
        ("12125550199", "US", "+12125550199"),
        ("0171/234 56 78", "DE", "+491712345678"),
        ("00 44 20 7946 0018", "DE", "+442079460018"),
        ("011 44 20 7946 0018", "US", "+442079460018"),
        ("tel:+33176360695", "US", "+33176360695"),
        ("+33\u00a01\u00a076\u00a036\u00a006\u00a095", "US", "+33176360695"),
        ("02-623 4567", "IL", "+97226234567"),
    ],
)
def test_a_number_that_can_be_dialled_is_read(written: str, region: str, read: str) -> None:
    assert to_e164(written, region) == read


@pytest.mark.parametrize(
    "written",
    ["1002", "555-0199", "Anonymous", "anonymous", "client1", "&", "", "sip:12125550199@pbx.example", "server 12125550199", "1-800-FLOWERS", WITHHELD,
     "+0", "+", "1" * 40, "99999999999999999"],
)  # fmt: skip
def test_what_nobody_can_dial_is_not_read(written: str) -> None:
    assert to_e164(written, "US") is None


@given(st.text(max_size=40))
def test_any_text_is_read_or_not_and_what_is_read_stays_so(text: str) -> None:
    read = to_e164(text, "US")
    assert read is None or to_e164(read, "DE") == read


def test_unread_numbers_stay_and_are_named() -> None:
    import pyarrow as pa

    rows = pa.table(
        {"from": ["+12125550100", "1002", None, "a"], "to": ["(212) 555-0199", "+12125550100", "+12125550100", "b"]}
    )
    numbered = with_e164(rows, lambda row: (row["from"], row["to"]), "US")
    assert numbered.select(["from", "to"]).equals(rows)
    assert numbered.select(["from_e164", "to_e164", "unread_numbers"]).to_pylist() == [
        {"from_e164": "+12125550100", "to_e164": "+12125550199", "unread_numbers": None},
        {"from_e164": None, "to_e164": "+12125550100", "unread_numbers": "from"},
        {"from_e164": None, "to_e164": "+12125550100", "unread_numbers": None},
        {"from_e164": None, "to_e164": None, "unread_numbers": "from,to"},
    ]


def test_a_region_that_does_not_exist_is_refused() -> None:
    with pytest.raises(IngestionError, match="'XX' is no country"):
        e164_reader("XX")
