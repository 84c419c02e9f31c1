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
        set_aside: Rows quarantined: committed with the rules they broke.
        unchanged: Rows delivered that the lake already held, or that came twice in this load.
        version: The table's version after the load; None where nothing was new and nothing was committed.
        cursor: Where the next load continues.
        load_id: The load's id; None where nothing was committed.
        rules: Number of rows that break each rule; empty where nothing was new.
        violations: The broken rules, with samples that identify nobody; none is fatal in a load that was committed.
        notice: A sentence for the user, if there is something to say (an object the org lacks, a field that appeared).
        is_undone: Whether the notice explains why a requested read did not happen.
        is_full: Whether the load brought a whole file or object, not only what changed.
        vanished: Records that the source no longer has, where the load brought all that it has.
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
    is_full: bool = False
    vanished: Vanished = field(default_factory=Vanished)

    @property
    def source_count(self) -> int:
        """Rows the source delivered."""
        return self.landed + self.set_aside + self.unchanged

    @property
    def is_all_set_aside(self) -> bool:
        """Whether every row of a whole file or object was quarantined. One bad record in a delta is no such case."""
        return self.is_full and self.set_aside > 0 and self.set_aside == self.source_count

    @property
    def quarantine_notice(self) -> str:
        """How many rows were quarantined, and by which rules; empty where none was."""
        if not self.set_aside:
            return ""
        broken = [violation for violation in self.violations if violation.severity == "row"]
        rules = ", ".join(f"{violation.rule} {violation.count}" for violation in broken)
        remedies = " ".join(dict.fromkeys(violation.fix for violation in broken if violation.fix))
        rows = "1 row was" if self.set_aside == 1 else f"{self.set_aside} rows were"
        return (
            f"{self.table}: {rows} set aside, of {self.source_count} ({rules}). {remedies}".rstrip()
            + " `salesops quarantine list` shows them."
        )

    @property
    def is_changed(self) -> bool:
        """Whether the load changed the lake."""
        return self.version is not None
