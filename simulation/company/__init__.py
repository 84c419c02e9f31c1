"""The company and its clock: people, market, leads, deals, calls, mail, meetings and bills, played once to the horizon.

What belongs here: processes (`people`, `leads`, `deals`, `calls`, `mail`, `meetings`, `billing` …) that decide what
happens, and `records`, which turn it into what the systems show. A system's state at an instant is the newest version
of every record with `_visible_from` at or before it, so advancing the clock changes nothing else. What does not:
serving the records (`simulation.servers`, `simulation.delivery`), and counting the truth (`simulation.truth`).
"""

from __future__ import annotations

from simulation.company.build import Company, create_company

__all__ = ["Company", "create_company"]
