"""Which requests a fault meets."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.fault_servers.fault_plan import FaultPlan
from tests.support.fault_servers.faults import RequestFacts, read_fault

PAGE = "/services/data/v66.0/jobs/query/7505g1AAA/results?maxRecords=10&locator=MTA"


def meetings(plan: FaultPlan, times: int, request: RequestFacts | None = None) -> list[bool]:
    return [plan.meet(request or RequestFacts("GET", PAGE, "Lead")) is not None for _ in range(times)]


def make_plan(*described: dict[str, Any]) -> FaultPlan:
    plan = FaultPlan()
    for each in described:
        plan.add(read_fault({"status": 503} | each))
    return plan


@pytest.mark.parametrize(
    ("described", "met"),
    [
        ({}, True),
        ({"method": "get"}, True),
        ({"method": "POST"}, False),
        ({"path": "/results"}, True),
        ({"path": r"locator=MTA$"}, True),
        ({"path": "^/results"}, False),
        ({"object": "lead"}, True),
        ({"object": "Contact"}, False),
    ],
    ids=str,
)
def test_a_request_must_fit_in_method_address_and_object(described: dict[str, Any], met: bool) -> None:
    assert meetings(make_plan(described), 1) == [met]


def test_it_starts_at_the_nth_fitting_request_and_ends_after_so_many() -> None:
    plan = make_plan({"path": "/results", "nth": 3, "times": 2})

    assert not any(meetings(plan, 5, RequestFacts("GET", "/elsewhere")))
    assert meetings(plan, 6) == [False, False, True, True, False, False]
    assert [(described["fitting"], described["met"]) for described in plan.show()] == [(6, 2)]


def test_without_an_end_it_meets_every_request() -> None:
    assert all(meetings(make_plan({"times": None}), 50))


def test_a_request_meets_one_fault_and_the_next_waits() -> None:
    plan = make_plan({"status": 503}, {"status": 429, "nth": 2})

    statuses = [getattr(plan.meet(RequestFacts("GET", PAGE)), "status", None) for _ in range(3)]

    assert statuses == [503, 429, None]


def test_chance_is_the_same_for_a_seed() -> None:
    drawn = [meetings(make_plan({"times": None, "probability": 0.3, "seed": seed}), 1000) for seed in (1, 1, 2)]

    assert drawn[0] == drawn[1] != drawn[2]
    assert 230 < sum(drawn[0]) < 370


def test_cleared_faults_meet_nothing() -> None:
    plan = make_plan({"times": None})
    plan.clear()

    assert not any(meetings(plan, 3))


@pytest.mark.parametrize(
    "described",
    [
        {"kind": "earthquake"},
        {"kind": "slow"},
        {"kind": "status", "status": 503, "when": "now"},
        {"kind": "status", "status": 503, "path": "("},
        {"kind": "status", "status": 503, "probability": 2},
        {"kind": "vanish_field", "field": "Company"},
    ],
    ids=["unknown kind", "no seconds", "unknown word", "no pattern", "no probability", "no object"],
)
def test_what_is_no_fault_is_refused(described: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read_fault(described)
