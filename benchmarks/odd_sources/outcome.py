"""What a drawn source came to, and how it is judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


class Fault(Exception):
    """A source was not landed exactly, or was refused without a remedy that works."""


@dataclass
class Outcome:
    """What became known of one source.

    Attributes:
        kind: Which kind of source it was.
        landed: Records that landed as they were written.
        set_aside: Records that were set aside, each with its reason.
        remedies: What was done after a refusal or because rows were set aside, in order.
    """

    kind: str
    landed: int = 0
    set_aside: int = 0
    remedies: list[str] = field(default_factory=list)


@dataclass
class Tally:
    """The sum of many outcomes."""

    sources: Counter[str] = field(default_factory=Counter)
    landed: int = 0
    set_aside: int = 0
    remedies: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        self.sources[outcome.kind] += 1
        self.landed += outcome.landed
        self.set_aside += outcome.set_aside
        self.remedies.update(remedy.split(":")[0].strip(" `") for remedy in outcome.remedies)
