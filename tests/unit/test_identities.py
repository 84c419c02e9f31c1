"""Record ids as people copy them: fifteen characters or eighteen, with blanks around, alike but for case."""

from __future__ import annotations

import string
from pathlib import Path

import duckdb
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Template

MACROS = Path(__file__).resolve().parents[2] / "dbt_project" / "macros"
LONG_ID = Template((MACROS / "identities.sql").read_text()).module.long_record_id("stated")  # type: ignore[attr-defined]
SHORT_IDS = st.text(string.ascii_letters + string.digits, min_size=15, max_size=15)
DUCK = duckdb.connect()
BLANKS = st.sampled_from(["", " ", "   "])


def lengthen(stated: str) -> str:
    ((found,),) = DUCK.execute(f"select {LONG_ID} from (select $stated as stated)", {"stated": stated}).fetchall()
    return str(found)


def checksum(short: str) -> str:
    """The last three characters by Salesforce's rule, written out: one for each five, which of them are capitals."""
    signs = string.ascii_uppercase + "012345"
    fives = (short[:5], short[5:10], short[10:])
    return "".join(signs[int("".join("01"[letter.isupper()] for letter in reversed(five)), 2)] for five in fives)


@given(SHORT_IDS, BLANKS, BLANKS)
def test_a_short_id_gets_the_characters_that_tell_its_capitals(short: str, before: str, after: str) -> None:
    assert lengthen(f"{before}{short}{after}") == short + checksum(short)


@given(SHORT_IDS)
def test_ids_that_differ_in_case_alone_stay_apart_even_without_case(short: str) -> None:
    other = short.swapcase()
    assert (lengthen(short).lower() == lengthen(other).lower()) == (short == other)


@given(
    st.text(string.ascii_letters + string.digits + "-_.@/", max_size=20).filter(lambda text: len(text) != 15), BLANKS
)
def test_any_other_text_only_loses_the_blanks_around_it(stated: str, blanks: str) -> None:
    assert lengthen(f"{blanks}{stated}{blanks}") == stated
