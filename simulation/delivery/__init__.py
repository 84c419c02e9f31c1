"""What a company receives as files at the simulated clock: mail in Maildirs, CSV feeds from personnel and accounting.

What belongs here: writing those files so that a second call, or one after a kill, ends with the same tree. What does
not: creating the company (`simulation.company`), and sources that answer requests (`simulation.servers`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from simulation.delivery.feeds import write_feeds
from simulation.delivery.maildir import write_maildir

__all__ = ["deliver"]


def deliver(simulation_dir: Path, until: datetime) -> None:
    """Write what is visible by `until`: new messages are added, changed feeds are replaced.

    Args:
        simulation_dir: Holds `company/`; `maildir/<rep address>/` and `feeds/*.csv` are written there.
        until: The simulated clock; taken as UTC if it has no zone. Delivered mail stays, even if a later call has an
            earlier clock.
    """
    instant = until.astimezone(UTC).replace(tzinfo=None) if until.tzinfo else until
    write_maildir(simulation_dir, instant)
    write_feeds(simulation_dir, instant)
