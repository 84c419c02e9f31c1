"""The shape of one `salesops doctor` check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One precondition of a run.

    Attributes:
        title: What is checked.
        find: Returns a short description of what it found; raises a `SalesopsError` if something is wrong. It changes
            nothing.
        repair: Fixes what `find` complained about and says what it fixed; None if only a person can.
    """

    title: str
    find: Callable[[], str]
    repair: Callable[[], str] | None = None
