"""The company and its clock: people, market, leads, deals, calls, mail, meetings and bills, played once over history and horizon.

What belongs here: processes (`people`, `leads`, `deals`, `calls`, `mail`, `meetings`, `billing` …) that decide what happens, and `records` that turn
it into what the systems show. The state of a system at an instant is the newest version of every record with `_visible_from` at or before it, so
advancing the clock changes nothing but the clock. What does not: serving the records (`simulation.servers`, `simulation.delivery`), and judging them
(`simulation.truth`).
"""

from __future__ import annotations

from simulation.company.build import Company, create_company

__all__ = ["Company", "create_company"]
