"""The one door into the lake: check the contract, stamp, compare with what the lake holds, commit once.

What belongs here: what happens to a load whatever its source, from a stream of rows to one commit, and bringing rows back that were set
aside. What does not: reading a source, and the rules themselves (`contracts`).
"""

from __future__ import annotations

from ingestion.landing.delivery import Delivery
from ingestion.landing.land import land
from ingestion.landing.report import LandingReport
from ingestion.landing.vanished import Vanished, Whole

__all__ = ["Delivery", "LandingReport", "Vanished", "Whole", "land"]
