"""Which window of an object a load reads: what changed since the last one, or all of it, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from ingestion.errors import SalesforceRefused
from ingestion.landing.identity import read_identity
from ingestion.landing.vanished import keep_doubt, read_doubted_share
from ingestion.sources.salesforce.client import SalesforceClient
from ingestion.sources.salesforce.config_file import SalesforceReading
from ingestion.sources.salesforce.objects import STAMPS, SalesforceObject
from ingestion.sources.salesforce.soql import Window, read_instant, write_instant
from storage.lake import LoadRecord

# Records are committed late with an earlier stamp, and clocks differ, so each window starts a little before the last
# one ended.
LOOK_BACK = timedelta(minutes=10)
# The recycle bin keeps deleted records for 15 days; the last day is left as a margin.
BIN_KEEPS = timedelta(days=14)
# A window without records leaves the cursor where it is. Moved at least this often, it tells an object that nobody
# changed from one that nobody read.
CURSOR_MOVES = BIN_KEEPS / 2
_FULL_READ_AT = "full_read_at"  # in a load's details: when the object was last read in full, by its cursor's clock


@dataclass(frozen=True)
class Backfill:
    """A window to read again, whatever the cursor says: `[since, until)`; without `since` from the beginning."""

    since: datetime | None
    until: datetime


@dataclass(frozen=True)
class Choice:
    """What a load reads.

    Attributes:
        window: The window.
        whole_because: Why an object that the lake holds is read in full, to fit between its name and "and was read
            whole"; empty where it is not.
        moves_cursor: Whether to record the load even if nothing came.
        settles_due: Whether a full read was due. If the object gives no reason for one, this is not checked again until
            the next is due.
        may_become_whole: Whether a new field is a reason to read the object in full.
    """

    window: Window
    whole_because: str = ""
    moves_cursor: bool = False
    settles_due: bool = False
    may_become_whole: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether an object that the lake holds is read in full."""
        return bool(self.whole_because)

    def made_whole(self, because: str) -> Choice:
        """The same choice up to the same instant, but from the beginning."""
        return Choice(replace(self.window, since=None), because, moves_cursor=True)


def choose_window(
    client: SalesforceClient,
    salesforce_object: SalesforceObject,
    previous: LoadRecord | None,
    until: datetime,
    reading: SalesforceReading,
    backfill: Backfill | None,
) -> Choice:
    """Choose what a load reads of an object.

    The org is asked for nothing but the object's fields, and only where they matter.

    Args:
        client: The signed-in org.
        salesforce_object: The object.
        previous: The newest load of the object.
        until: The run's instant.
        reading: How to read Salesforce.
        backfill: A requested window.

    Raises:
        SalesforceRefused: The object has no stamp to cut windows by.
    """
    stamp = _choose_stamp(client, salesforce_object, previous)
    if backfill:
        return Choice(Window(stamp, backfill.since, min(backfill.until, until)))
    if previous is None or previous.cursor is None:
        return Choice(Window(stamp, None, until))
    reached = read_instant(previous.cursor)
    has_gap = until - reached > BIN_KEEPS
    is_due = bool(reading.full_read_days) and until - read_instant(_read_whole_at(previous)) >= timedelta(
        days=reading.full_read_days
    )
    doubted = read_doubted_share(previous.details)
    is_believed_now = doubted is not None and doubted <= Fraction(reading.vanished_share)
    changed = Choice(
        Window(stamp, reached - LOOK_BACK, until),
        moves_cursor=is_due or until - reached >= CURSOR_MOVES,
        settles_due=is_due,
        may_become_whole=bool(reading.full_read_days),
    )
    if not (has_gap or is_due or is_believed_now):
        return changed
    fields = client.fields(salesforce_object.name)
    shows_deletions = salesforce_object.is_gone_only_when_deleted([field.name for field in fields])
    reasons = {
        f"was last read {(until - reached).days} days before, longer than the recycle bin keeps what was deleted,": has_gap
        and shows_deletions,
        "may have lost more records than vanished_share allowed at first": is_believed_now and shows_deletions,
        "has formula fields": is_due and any(field.is_calculated for field in fields),
        "may have lost records that left the recycle bin unseen": is_due and shows_deletions,
    }
    reason = next((reason for reason, holds in reasons.items() if holds), "")
    return changed.made_whole(reason) if reason else changed


def _choose_stamp(client: SalesforceClient, salesforce_object: SalesforceObject, previous: LoadRecord | None) -> str:
    """The stamp that an object's windows are cut by.

    For an object that an operator named, the org is asked at its first load; later loads keep the answer.
    """
    kept = read_identity(previous) if previous else None
    stamp = salesforce_object.stamp or (kept.version_column if kept else None)
    if stamp is None:
        there = {field.name for field in client.fields(salesforce_object.name)}
        stamp = next((name for name in STAMPS if name in there), None)
    if stamp is None:
        raise SalesforceRefused(
            f"{salesforce_object.name} has neither SystemModstamp nor CreatedDate, so nothing tells what changed in it since a load. "
            "It was not read.",
            where="objects in config/salesforce.yml",
            fix=f"Take {salesforce_object.name} out of objects; what Salesforce keeps only so can be exported and read as files.",
        )
    return stamp


def describe_whole_read(
    choice: Choice, previous: LoadRecord | None, until: datetime, backfill: Backfill | None
) -> dict[str, str]:
    """The details to store with a load: when the object was last read in full, and what was in doubt then."""
    is_first = previous is None and backfill is None
    full_read_at = (
        write_instant(until)
        if is_first or choice.is_whole or choice.settles_due
        else _read_whole_at(previous)
        if previous
        else ""
    )
    return {_FULL_READ_AT: full_read_at, **(keep_doubt(previous.details) if previous and not choice.is_whole else {})}


def _read_whole_at(previous: LoadRecord) -> str:
    return previous.details.get(_FULL_READ_AT) or previous.known_at
