"""A short version of `benchmarks.odd_sources`; the long one is part of `make soak`."""

from __future__ import annotations

import pytest

from benchmarks.odd_sources.__main__ import run_loop


@pytest.mark.parametrize("kind", ["export", "feed", "mailbox"])
def test_what_people_write_lands_exactly_or_is_set_aside_or_is_refused_with_a_remedy_that_works(kind: str) -> None:
    said: list[str] = []
    tally, faults = run_loop(20, 41, only=kind, say=said.append)
    assert not faults, "\n".join(said)
    assert tally.sources == {kind: 20} and tally.landed > 50 and tally.set_aside > 2
