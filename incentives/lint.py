"""Find errors and questionable settings in a plan file before it pays anyone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from incentives.components import Component, Doubt
from incentives.plan_files import read_plan
from incentives.plans import Plan
from storage.operator_files import OperatorFileError, Problem

KNOWN_TAG_KINDS = frozenset({"type", "product", "record_type", "process", "field"})


def lint_file(path: Path) -> list[Problem]:
    """Problems of a plan file: its errors or, if there are none, its warnings; empty if all is well.

    It warns about keys with an old name, rates above 100 %, unreachable tiers, crediting rules that no component uses,
    assignments outside the plan's own dates, and tags of a kind that no credit has.
    """
    try:
        file = read_plan(path)
    except OperatorFileError as error:
        return list(error.problems)
    return [
        *file.notices,
        *(Problem("warning", path, place, None, what, fix) for place, what, fix in _warnings(file.content)),
    ]


def _warnings(plan: Plan) -> Iterator[Doubt]:
    used = {rule.id for rule in plan.crediting_rules}
    for number, rule in enumerate(plan.crediting):
        if rule.id not in used:
            yield (
                f"crediting[{number}]",
                f"No component uses the crediting rule {rule.id}.",
                "Name it in a component, or take it out.",
            )
    for number, block in enumerate(plan.participants):
        ends_before = block.to_date is not None and block.to_date < plan.effective_from
        begins_after = (
            block.from_date is not None and plan.effective_to is not None and block.from_date > plan.effective_to
        )
        if ends_before or begins_after:
            yield (
                f"participants[{number}]",
                "The assignment lies outside the plan's own dates, so it pays nothing.",
                "Correct its from or to.",
            )
    for number, component in enumerate(plan.components):
        yield from _component_warnings(component, f"components[{number}]")


def _component_warnings(component: Component, place: str) -> Iterator[Doubt]:
    eligibility = component.eligibility
    for tag in (*eligibility.all_of, *eligibility.any_of, *eligibility.none_of):
        if tag.split(":")[0] not in KNOWN_TAG_KINDS:
            yield (
                f"{place}.eligibility",
                f"No credit carries a tag of the kind of {tag}.",
                f"Kinds are: {', '.join(sorted(KNOWN_TAG_KINDS))}.",
            )
    yield from component.warn(place)
