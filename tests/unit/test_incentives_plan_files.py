"""What a plan or board file may say, and how a wrong one is reported: file, line, place in the file, what to do."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from incentives.errors import IncentivesError
from incentives.generate import generated_files
from incentives.lint import lint_file
from incentives.mechanics import MECHANICS, find_mechanic
from incentives.mechanics.marginal_tiers import MarginalTiersComponent
from incentives.plan_files import read_board, read_boards, read_plan, read_plans
from storage.operator_files import OperatorFileError
from storage.settings import PROJECT_ROOT

PLANS, BOARDS = PROJECT_ROOT / "config" / "plans", PROJECT_ROOT / "config" / "boards"

PLAN = """\
id: test
name: Test
effective_from: 2025-01-01
participants:
  - roles: [rep]
components:
  - id: tiers
    kind: marginal_tiers
    scope: month
    tiers:
      - { from: 0, to: 500, percent: 25 }
      - { from: 500, to: 3000, percent: 30 }
      - { from: 3000, percent: 40 }
"""


def write(folder: Path, text: str, name: str = "plan.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_amounts_are_read_as_written_never_as_floats(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path, PLAN.replace("percent: 25", "percent: 0.1"))).content
    component = plan.components[0]
    assert isinstance(component, MarginalTiersComponent)
    assert component.tiers[0].percent == Decimal("0.1")


def test_default_plans_and_boards_are_good_and_the_linter_is_silent() -> None:
    assert {file.content.id for file in read_plans(PLANS)} == {"account_executive", "sales_development", "sales_agent"}
    assert read_boards(BOARDS)
    assert [problem for path in sorted(PLANS.glob("*.yml")) for problem in lint_file(path)] == []


def test_the_examples_of_the_guide_are_good_files(tmp_path: Path) -> None:
    guide = (PROJECT_ROOT / "docs" / "commission-plans.md").read_text(encoding="utf-8")
    plan, board = [block.split("```")[0] for block in guide.split("```yaml\n")[1:]]
    assert lint_file(write(tmp_path, plan)) == []
    assert read_board(write(tmp_path, board)).content.id == "monthly_bookings"


@pytest.mark.parametrize("path", generated_files(), ids=lambda path: path.name)
def test_a_generated_file_is_what_make_generate_writes(path: Path) -> None:
    assert (PROJECT_ROOT / path).read_text(encoding="utf-8") == generated_files()[path]


@pytest.mark.parametrize(
    ("old", "new", "what", "place", "line", "fix"),
    [
        ("to: 500, percent: 25", "to: 499.99, percent: 25", "is a gap", "components[0]", 7, "to: 500"),
        ("to: 500, percent: 25", "to: 600, percent: 25", "overlap", "components[0]", 7, "to: 500"),
        ("{ from: 0, to", "{ from: 10, to", "begins at 10", "components[0]", 7, "Begin at 0"),
        (
            "{ from: 3000, percent",
            "{ from: 3000, to: 9000, percent",
            "last tier ends",
            "components[0]",
            7,
            "Leave out its `to`",
        ),
        ("to: 3000, percent: 30", "percent: 30", "Tier 2 has no end", "components[0]", 7, "to: 3000"),
        (
            "to: 3000, percent: 30",
            "to: 400, percent: 30",
            "not above its beginning",
            "components[0]",
            7,
            "Put `to` above `from`",
        ),
        (
            "percent: 30",
            "percent: lots",
            "'lots' cannot be used",
            "components[0].tiers[1].percent",
            12,
            "docs/commission-plans.md",
        ),
        ("percent: 30", "percent: -1", "cannot be used", "components[0].tiers[1].percent", 12, "Correct"),
        ("scope: month", "scope: fortnight", "'fortnight' is not one of", "components[0].scope", 9, "'month'"),
        ("    scope: month\n", "", "scope is missing", "components[0].scope", 7, "Add it"),
        (
            "scope: month",
            "scope: per_deal\n    basis: percent_of_quota",
            "scope is per_deal",
            "components[0]",
            7,
            "month, quarter or year",
        ),
        ("scope: month", "scope: month\n    cap: 5", "cap is not known", "components[0].cap", 10, "spelling"),
        ("scope: month", "scope: month\n    scope: year", "written twice", "", 10, "Keep one"),
        (
            "kind: marginal_tiers",
            "kind: retroactive",
            "'retroactive' is not known",
            "components[0]",
            7,
            "marginal_tiers",
        ),
        ("scope: month", "scope: month\n    crediting: nobody", "crediting rule nobody", "", 1, "owner"),
        ("roles: [rep]", "everyone: false", "names no one", "participants[0]", 5, "everyone: true"),
        (
            "roles: [rep]",
            "roles: [rep]\n    from: 2025-03-01\n    to: 2025-02-28",
            "before it begins",
            "participants[0]",
            5,
            "on or after",
        ),
        ("id: test", "id: Test Plan", "does not have the form", "id", 1, "lower case"),
        ("name: Test", "name: Test\neffective_to: 2024-12-31", "before it begins", "", 1, "on or after"),
        ("name: Test", "name: [Test", "not valid YAML", "", 3, "quotes"),
    ],
    ids=lambda value: str(value)[:24].strip().replace("\n", " ") if isinstance(value, str) else None,
)
def test_a_wrong_plan_is_refused_with_place_and_remedy(
    tmp_path: Path, old: str, new: str, what: str, place: str, line: int, fix: str
) -> None:
    assert old in PLAN
    path = write(tmp_path, PLAN.replace(old, new))
    with pytest.raises(OperatorFileError) as caught:
        read_plan(path)
    problem = caught.value.problems[0]
    assert what in problem.what
    assert fix in problem.fix
    assert (problem.file, problem.path, problem.line) == (path, place, line)
    assert all(part in str(caught.value) for part in (str(path), "What to do"))


def test_every_problem_of_a_file_is_listed_at_once(tmp_path: Path) -> None:
    with pytest.raises(OperatorFileError) as caught:
        read_plan(write(tmp_path, PLAN.replace("scope: month", "scope: week").replace("name: Test\n", "")))
    assert [problem.path for problem in caught.value.problems] == ["name", "components[0].scope"]


def test_two_files_with_one_id_are_refused(tmp_path: Path) -> None:
    write(tmp_path, PLAN, "a.yml")
    write(tmp_path, PLAN, "b.yml")
    with pytest.raises(OperatorFileError, match=r"also used in a\.yml"):
        read_plans(tmp_path)


def test_a_split_of_owner_and_opportunity_splits_is_refused(tmp_path: Path) -> None:
    crediting = "crediting:\n  - id: team\n    split: [{ party: owner }, { party: opportunity_splits }]\ncomponents:"
    with pytest.raises(OperatorFileError, match="both owner and opportunity_splits"):
        read_plan(write(tmp_path, PLAN.replace("components:", crediting)))


def test_a_board_cannot_break_ties_by_what_nobody_recorded(tmp_path: Path) -> None:
    board = "id: b\nname: B\nmetric: calls_placed\nperiod: month\nparticipants: [{ everyone: true }]\ntie_breakers: [reached_first]\n"
    with pytest.raises(OperatorFileError, match="Who reached calls_placed first is not recorded"):
        read_board(write(tmp_path, board))


@pytest.mark.parametrize(
    ("old", "new", "what", "place"),
    [
        ("percent: 30", "percent: 300", "above 100 %", "components[0].tiers[1].percent"),
        (
            "scope: month",
            "scope: per_deal\n    eligibility: { amount_below: 3000 }",
            "cannot be reached",
            "components[0].tiers[2]",
        ),
        (
            "components:",
            "crediting:\n  - id: spare\n    split: [{ party: owner }]\ncomponents:",
            "No component uses",
            "crediting[0]",
        ),
        ("roles: [rep]", "roles: [rep]\n    to: 2024-06-30", "outside the plan's own dates", "participants[0]"),
        (
            "scope: month",
            'scope: month\n    eligibility: { any_of: ["colour:red"] }',
            "No credit carries",
            "components[0].eligibility",
        ),
    ],
    ids=["rate", "unreachable tier", "unused rule", "assignment", "tag"],
)
def test_the_linter_warns(tmp_path: Path, old: str, new: str, what: str, place: str) -> None:
    problems = lint_file(write(tmp_path, PLAN.replace(old, new)))
    assert [(problem.severity, problem.path) for problem in problems] == [("warning", place)]
    assert what in problems[0].what


def test_the_linter_reports_what_makes_a_file_unusable_as_errors(tmp_path: Path) -> None:
    assert [problem.severity for problem in lint_file(write(tmp_path, "just text"))] == ["error"]
    assert [problem.severity for problem in lint_file(tmp_path / "missing.yml")] == ["error"]


def test_the_old_name_of_a_key_works_with_a_notice_that_names_the_new_one(tmp_path: Path) -> None:
    path = write(tmp_path, PLAN.replace("scope: month", "scope: month\n    on: percent_of_quota"))
    file = read_plan(path)
    component = file.content.components[0]
    assert isinstance(component, MarginalTiersComponent)
    assert component.basis == "percent_of_quota"
    assert [(notice.severity, notice.path, notice.line) for notice in file.notices] == [
        ("warning", "components[0].on", 10)
    ]
    assert "The key on is now called basis." in str(file.notices[0])
    assert lint_file(path) == [*file.notices]
    assert read_plan(write(tmp_path, PLAN)).notices == ()


@pytest.mark.parametrize(
    ("more", "what", "place"),
    [
        ("on: nothing", "'nothing' is not one of", "components[0].on"),
        ("on: amount\n    basis: amount", "on is not known", "components[0].on"),
    ],
    ids=["a wrong value", "both names"],
)
def test_a_wrong_old_key_is_refused_where_it_stands(tmp_path: Path, more: str, what: str, place: str) -> None:
    with pytest.raises(OperatorFileError) as caught:
        read_plan(write(tmp_path, PLAN.replace("scope: month", f"scope: month\n    {more}")))
    assert [problem.path for problem in caught.value.problems] == [place]
    assert what in caught.value.problems[0].what


def test_every_mechanic_is_listed_under_the_kind_that_its_field_names() -> None:
    assert {kind: mechanic.model_fields["kind"].annotation for kind, mechanic in MECHANICS.items()} == {
        kind: Literal[kind] for kind in MECHANICS
    }


def test_a_kind_that_only_a_later_version_knows_is_an_error_that_says_so() -> None:
    with pytest.raises(IncentivesError, match="'hold' is not known"):
        find_mechanic("hold")
