"""What can be wrong with a plan or board file, as values that can be listed and as an error that can be raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from storage.errors import SalesopsError

PROBLEMS_SHOWN = 5


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or questionable, in a plan or board file.

    Attributes:
        severity: `error`: the file is not used; `warning`: it works, but perhaps not as meant.
        file: The file.
        path: Place in the file, such as `components[1].tiers[2].from`; empty where the whole file is meant.
        line: Line number in the file, from 1; None where it has no single one.
        what: What is wrong.
        fix: What to do.
    """

    severity: Literal["error", "warning"]
    file: Path
    path: str
    line: int | None
    what: str
    fix: str

    @property
    def where(self) -> str:
        """File, line and path in the file, as far as they are known."""
        line = f"line {self.line}" if self.line else ""
        return ", ".join(part for part in (str(self.file), line, self.path) if part)

    def __str__(self) -> str:
        return f"{self.severity}: {self.what}\n  Where: {self.where}\n  What to do: {self.fix}"


class IncentivesError(SalesopsError):
    """Something in plans, boards or commission lines that the user can put right."""


class PlanFileError(IncentivesError):
    """A plan or board file cannot be used."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = problems[0]
        shown = [f"{problem.what} ({problem.where}) {problem.fix}" for problem in problems[1:PROBLEMS_SHOWN]]
        if len(problems) > PROBLEMS_SHOWN:
            shown.append(f"and {len(problems) - PROBLEMS_SHOWN} more")
        further = "\nAlso: " + "\nAlso: ".join(shown) if shown else ""
        super().__init__(first.what, where=first.where, fix=first.fix + further)


class UnknownLineError(IncentivesError):
    """No commission line has this id."""
