"""The result of one load."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingestion.contracts import Violation
from ingestion.landing.vanished import Vanished


@dataclass(frozen=True)
class LandingReport:
    """The result of one load. `source_count` = `landed` + `set_aside` + `unchanged`; records marked deleted are counted apart.

    Attributes:
        table: Lake table.
        landed: Rows committed that passed their contract.
        set_aside: Rows committed with the rules they broke.
        unchanged: Rows delivered that the lake already held, or that came twice in this load.
        version: The table's version after the load; None where nothing was new and nothing was committed.
        cursor: Where the next load goes on.
        load_id: The load's name; None where nothing was committed.
        rules: Rows that break each rule; empty where nothing was new, for then nothing is said.
        violations: The rules that were broken, with samples that name nobody; of a load that was made none is fatal.
        notice: A sentence for the user where there is something to say (an object the org lacks, a field that appeared).
        is_undone: Whether the notice says why nothing was read, although it was asked for.
        vanished: Records that the source has no more, where the load brought all that it has.
    """

    table: str
    landed: int = 0
    set_aside: int = 0
    unchanged: int = 0
    version: int | None = None
    cursor: str | None = None
    load_id: str | None = None
    rules: dict[str, int] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    notice: str = ""
    is_undone: bool = False
    vanished: Vanished = field(default_factory=Vanished)

    @property
    def source_count(self) -> int:
        """Rows the source delivered."""
        return self.landed + self.set_aside + self.unchanged

    @property
    def is_changed(self) -> bool:
        """Whether the lake is another one than before."""
        return self.version is not None
