"""What each check of `salesops doctor` is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that a run relies on.

    Attributes:
        title: What is checked.
        find: Says in a few words what was found; raises a `SalesopsError` where something is wrong. Changes nothing.
        repair: Mends what `find` complained of, and says what was mended; None where only a person can.
    """

    title: str
    find: Callable[[], str]
    repair: Callable[[], str] | None = None
