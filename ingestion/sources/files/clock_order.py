"""Put a record's times in order where their local clock leaves open which instant is meant.

What belongs here: days that a log leaves out, and hours that clocks show twice. What does not: reading one time (`times`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import product

from ingestion.sources.files.times import TimeStyle, list_instants, read_time, write_instant


def settle_order(
    texts: Mapping[str, str | None],
    styles: Mapping[str, TimeStyle],
    order: Sequence[tuple[str, str]],
    next_day: frozenset[str],
) -> dict[str, str] | None:
    """Of all instants that a record's times can mean, the ones that are in order and lie closest together.

    The local day is moved, not the instant: a call that passes midnight on the day of a clock change lasts what it lasted.

    >>> from zoneinfo import ZoneInfo
    >>> oslo = TimeStyle(ZoneInfo("Europe/Oslo"))
    >>> times = {"start": "2025-10-26 02:58:00", "end": "2025-10-26 02:03:05"}
    >>> settle_order(times, {"start": oslo, "end": oslo}, [("start", "end")], frozenset())["end"]
    '2025-10-26T01:03:05.000Z'

    Args:
        texts: The record's values by column; None where empty.
        styles: How each column is written.
        order: Pairs of columns, the earlier one first.
        next_day: Columns whose time may belong to the day after the one that is written.

    Returns:
        Canonical text by column, or None if no choice is in order.
    """
    choices: dict[str, list[datetime]] = {}
    for name, text in texts.items():
        time = read_time(text, styles[name]) if text is not None else None
        if time is None:
            continue
        days = (0, 1) if name in next_day else (0,)
        if found := [at for day in days for at in list_instants(time, styles[name].zone, days_later=day)]:
            choices[name] = found
    known = [(earlier, later) for earlier, later in order if earlier in choices and later in choices]
    best: dict[str, datetime] | None = None
    for chosen in product(*choices.values()):
        times = dict(zip(choices, chosen, strict=True))
        if all(times[earlier] <= times[later] for earlier, later in known) and (
            best is None or _span(times) < _span(best)
        ):
            best = times
    return {name: write_instant(at) for name, at in best.items()} if best else None


def _span(times: Mapping[str, datetime]) -> float:
    return (max(times.values()) - min(times.values())).total_seconds()
