"""When faults are due: which of the requests that fit a fault meet it."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.support.fault_servers.faults import AnyFault, RequestFacts


@dataclass
class _PlannedFault:
    """A fault with what it has seen."""

    fault: AnyFault
    draws: random.Random
    fitting: int = 0
    met: int = 0

    def is_due(self) -> bool:
        fault = self.fault
        if self.fitting < fault.nth or (fault.times is not None and self.met >= fault.times):
            return False
        return fault.probability == 1.0 or self.draws.random() < fault.probability


@dataclass
class FaultPlan:
    """The faults to come, in order. A request meets at most one: the first that is due; the others wait for the next."""

    planned: list[_PlannedFault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: AnyFault) -> None:
        """Take one more fault into the plan."""
        with self._lock:
            self.planned.append(_PlannedFault(fault, random.Random(fault.seed)))

    def clear(self) -> None:
        """No fault is to come any more; fields that changed stay so."""
        with self._lock:
            self.planned.clear()

    def meet(self, request: RequestFacts) -> AnyFault | None:
        """The fault that this request meets, if any."""
        met: AnyFault | None = None
        with self._lock:
            for planned in self.planned:
                if not planned.fault.fits(request):
                    continue
                planned.fitting += 1
                if met is None and planned.is_due():
                    planned.met += 1
                    met = planned.fault
        return met

    def show(self) -> list[dict[str, Any]]:
        """The plan, with how many requests fitted each fault and how many met it."""
        with self._lock:
            return [
                planned.fault.model_dump() | {"fitting": planned.fitting, "met": planned.met}
                for planned in self.planned
            ]
