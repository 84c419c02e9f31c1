"""How much of the org's daily API requests is used up, as Salesforce says with every answer."""

from __future__ import annotations

import re
import threading
from decimal import Decimal

import requests

_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")


class ApiBudget:
    """The usage that Salesforce told last. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used, self._daily = 0, 0

    def note(self, answer: requests.Response) -> None:
        """Read `Sforce-Limit-Info: api-usage=18/5000`."""
        if told := _USAGE.search(answer.headers.get("Sforce-Limit-Info", "")):
            with self._lock:
                self._used, self._daily = int(told[1]), int(told[2])

    def describe_spent(self, share: Decimal) -> str:
        """Why reading stops, and when it goes on; empty while requests are left within the share."""
        with self._lock:
            used, daily = self._used, self._daily
        if not daily or used < share * daily:
            return ""
        return (
            f"{used:,} of the org's {daily:,} daily API requests are used, and reading stops at {share:.0%} (api_budget_share in "
            "config/salesforce.yml). It goes on with the first run that finds fewer used: they are counted over 24 hours, so within a day."
        )
