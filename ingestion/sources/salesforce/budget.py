"""How many of the org's daily API requests are used, according to Salesforce's answers and its `/limits`."""

from __future__ import annotations

import re
import threading
from decimal import Decimal
from typing import Any

import requests

_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
_DAILY_REQUESTS = "DailyApiRequests"


class ApiBudget:
    """The usage that Salesforce last reported. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used, self._daily = 0, 0

    def note(self, answer: requests.Response) -> None:
        """Read `Sforce-Limit-Info: api-usage=18/5000`, which REST answers carry and Bulk 2.0 answers do not."""
        if reported := _USAGE.search(answer.headers.get("Sforce-Limit-Info", "")):
            with self._lock:
                self._used, self._daily = int(reported[1]), int(reported[2])

    def note_limits(self, limits: Any) -> None:
        """Read the answer of `/limits`: `{"DailyApiRequests": {"Max": 5000, "Remaining": 4982}, …}`.

        An answer without these figures is ignored.
        """
        reported = limits.get(_DAILY_REQUESTS) if isinstance(limits, dict) else None
        most, remaining = (
            (reported.get("Max"), reported.get("Remaining")) if isinstance(reported, dict) else (None, None)
        )
        if not isinstance(most, int) or not isinstance(remaining, int):
            return
        with self._lock:
            # These figures lag by up to five minutes: the usage that an answer reported may be the newer, higher one.
            self._used, self._daily = max(most - remaining, self._used), most

    def describe_spent(self, share: Decimal) -> str:
        """Why reading stops, and when it resumes; empty while requests are left within the share."""
        with self._lock:
            used, daily = self._used, self._daily
        if not daily or used < share * daily:
            return ""
        return (
            f"{used:,} of the org's {daily:,} daily API requests are used, and reading stops at {share:.0%} (api_budget_share in "
            "config/salesforce.yml). It goes on with the first run that finds fewer used: they are counted over 24 hours, so within a day."
        )
