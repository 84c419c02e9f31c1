"""How a source's load gets into the lake: check the contract, stamp, compare with what the lake holds, commit once.

What belongs here: everything that happens to a load whatever its source, from a stream of rows to one commit. What does
not: reading a source, the rules themselves (`contracts`), and replaying quarantined rows (`ingestion.quarantine`).
"""

from __future__ import annotations

from ingestion.landing.delivery import Delivery
from ingestion.landing.land import land
from ingestion.landing.report import LandingReport
from ingestion.landing.vanished import Vanished, Whole

__all__ = ["Delivery", "LandingReport", "Vanished", "Whole", "land"]
