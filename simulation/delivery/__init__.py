"""What reaches a company as files: its reps' mail in Maildirs, and CSV feeds from personnel and accounting, as at the simulated clock.

What belongs here: writing those files so that a second call, or one that follows a kill, ends with the same tree. What does not: making
the company (`simulation.company`), and sources that answer requests (`simulation.servers`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from simulation.delivery.feeds import write_feeds
from simulation.delivery.maildir import write_maildir

__all__ = ["deliver"]


def deliver(simulation_dir: Path, until: datetime) -> None:
    """Write what has become visible by `until`: new messages are added, feeds are replaced where their content changed.

    Args:
        simulation_dir: Holds `company/`; `maildir/<rep address>/` and `feeds/*.csv` are written there.
        until: The simulated clock; without zone it is taken as UTC. Mail once delivered stays, also if a later call names an earlier clock.
    """
    instant = until.astimezone(UTC).replace(tzinfo=None) if until.tzinfo else until
    write_maildir(simulation_dir, instant)
    write_feeds(simulation_dir, instant)
