"""The sources of the kill loop: three Salesforce objects, a Maildir and a feed, which change by seed between kills."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.fault_servers import ServerControl

MAILBOX = "deals@northlight.example"
FEED_COLUMNS = ("campaign_id", "cost_date", "amount", "currency")
# How far before the newest window's end a record may be committed late; the look-back is a minute longer.
LATEST = timedelta(minutes=9)
# Longer than `full_read_days` and shorter than the recycle bin's retention: every object is then re-read in full.
READ_WHOLE = timedelta(days=8)
MOST_PURGED = 6  # per object at a time: ten times as many at once are still believed
_TEXTS = ("plain", 'with "quotes", and a comma', "two\nlines", "NA", "ünïcødé", "", " padded ")
_STAGES = ("Prospecting", "Qualification", "Proposal", "Closed Won", "Closed Lost")
_TYPES = {"Amount": "DECIMAL(18,2)", "Quantity": "DECIMAL(18,2)", "TotalPrice": "DECIMAL(18,2)", "CloseDate": "DATE"}
_TYPES |= dict.fromkeys(("CreatedDate", "SystemModstamp"), "TIMESTAMP")


@dataclass
class ToldObject:
    """One object and the state of its records.

    Attributes:
        name: As Salesforce spells it.
        count: Records at the start.
        prefix: Prefix of its Ids.
        make: A record's values except Id and stamp; the second argument says whether to break a row rule.
        stamps: Id → newest stamp of the existing records, including the recycle bin.
        bad: Ids whose newest version breaks a row rule.
        record_count: Records so far, including purged ones, so that no Id repeats.
        gone: Id → what a lake that saw the record must hold after its purge.
    """

    name: str
    count: int
    prefix: str
    make: Callable[[random.Random, bool], dict[str, Any]]
    stamps: dict[str, datetime] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    record_count: int = 0
    gone: dict[str, dict[str, str | None]] = field(default_factory=dict)

    def next_id(self) -> str:
        """The Id of a new record."""
        self.record_count += 1
        return f"{self.prefix}{self.record_count - 1:010d}AAA"

    def mark_gone(self) -> None:
        """Note that an undisturbed run re-reads the object in full and so detects purged records by their absence."""
        for row in self.gone.values():
            row["IsDeleted"] = "true"


class ChangingSources:
    """Sources that change.

    The expected lake content is read from them (`messages`, `feed_rows`, the control); only purged records are
    remembered here.

    Args:
        folder: The company's folder; `prepare` fills it before the servers start.
        seed: Equal seeds give equal changes.
        started: The simulated instant at which they begin.
        records: Approximate number of Salesforce records at the start.
    """

    def __init__(self, folder: Path, seed: int, started: datetime, records: int) -> None:
        self.folder = folder
        self.now = started
        self.objects = (
            ToldObject("Opportunity", records * 5 // 9, "006Ki", _make_opportunity),
            ToldObject("Lead", records * 3 // 9, "00QKi", _make_lead),
            ToldObject("OpportunityLineItem", records // 9, "00kKi", _make_line_item),
        )
        self._random = random.Random(seed)
        self._new_fields = 0
        self._feed: dict[tuple[str, str], tuple[str, str]] = {}
        self._messages = 0

    def prepare(self) -> None:
        """Write what the servers need to start, and the first messages and feed."""
        (self.folder / "company" / "salesforce").mkdir(parents=True, exist_ok=True)
        facts = {
            "company_name": "Northlight Systems",
            "email_domain": "northlight.example",
            "telephony_account_sid": f"AC{0:032d}",
        }
        (self.folder / "company" / "company.json").write_text(json.dumps(facts))
        (self.folder / "clock.json").write_text(json.dumps({"now": self.now.isoformat()}))
        for name in ("cur", "new", "tmp"):
            (self.folder / "maildir" / MAILBOX / name).mkdir(parents=True, exist_ok=True)
        self._change_files()

    def fill(self, control: ServerControl) -> None:
        """Send the first records, stamped over the day before now."""
        for each in self.objects:
            rows = [self._make_row(each, each.next_id(), timedelta(days=1)) for _ in range(each.count)]
            control.records(each.name, rows, _TYPES)

    def change(self, control: ServerControl, passed: timedelta) -> int:
        """Let time pass and things change: updates, inserts, deletions, bad rows, corrections, sometimes a new field.

        Some records are committed late, with stamps before the last window's end.

        If `READ_WHOLE` passes, or an object gets a field, the next run re-reads in full.

        Returns:
            Number of changed and new Salesforce records.
        """
        self.now += passed
        changed = 0
        for each in self.objects:
            most = self._random.choice((0, 5, 60, 600))
            rows = list(self._changed_rows(each, min(most, len(each.stamps) // 3), passed + LATEST))
            rows += [self._make_row(each, each.next_id(), passed) for _ in range(self._random.randint(0, most // 4))]
            if rows and self._random.random() < 0.05:
                self._new_fields += 1
                rows = [{**row, f"Extra_{self._new_fields}__c": self._random.choice(_TEXTS)} for row in rows]
                each.mark_gone()
            if passed >= READ_WHOLE:
                each.mark_gone()
            if rows:
                control.records(each.name, rows, _TYPES)
            changed += len(rows)
        if self._random.random() < 0.5:
            self._change_files()
        return changed

    def purge(self, control: ServerControl) -> int:
        """Purge some records, in the recycle bin or not, but none with a quarantined newest version, which would stay.

        What the lake must later hold of these records is taken from what the sources show now.

        Returns:
            Number of purged records.
        """
        purged = 0
        for each in self.objects:
            chosen = self._random.sample(sorted(each.stamps.keys() - each.bad), self._random.randint(1, MOST_PURGED))
            rows = {str(row["Id"]): row for row in control.present(each.name)}
            control.purge(each.name, chosen)
            for identifier in chosen:
                each.gone[identifier] = rows[identifier]
                del each.stamps[identifier]
            purged += len(chosen)
        return purged

    def forget_gone(self) -> None:
        """Start with a lake that saw none of the purged records."""
        for each in self.objects:
            each.gone.clear()

    def messages(self) -> set[tuple[str, str]]:
        """Mailbox and key of every message in the Maildir."""
        return {
            (MAILBOX, path.name.partition(":")[0]) for path in (self.folder / "maildir" / MAILBOX / "cur").iterdir()
        }

    def feed_rows(self) -> list[dict[str, str | None]]:
        """The rows currently in the feed's file."""
        with (self.folder / "feeds" / "campaign_costs.csv").open(newline="", encoding="utf-8") as file:
            return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]

    def _changed_rows(self, each: ToldObject, count: int, within: timedelta) -> Iterator[dict[str, Any]]:
        for identifier in self._random.sample(sorted(each.stamps), count):
            if each.stamps[identifier] < self.now - within:  # a record's stamps only increase
                yield self._make_row(each, identifier, within)

    def _make_row(self, each: ToldObject, identifier: str, within: timedelta) -> dict[str, Any]:
        # Fixed fractions now and then, so that many records share one stamp.
        back = (
            within * self._random.random() if self._random.random() < 0.7 else within / self._random.choice((2, 3, 5))
        )
        stamp = (self.now - back).replace(microsecond=self._random.choice((0, 500_000, 999_000)))
        is_bad = self._random.random() < 0.04
        each.stamps[identifier] = stamp
        (each.bad.add if is_bad else each.bad.discard)(identifier)
        values = each.make(self._random, is_bad)
        return {
            "Id": identifier,
            "IsDeleted": self._random.random() < 0.03,
            **values,
            "SystemModstamp": stamp.isoformat(timespec="milliseconds"),
        }

    def _change_files(self) -> None:
        for _ in range(self._random.randint(1, 20)):
            self._messages += 1
            head = f"Message-ID: <{self._messages}@northlight.example>\nFrom: {MAILBOX}\nTo: buyer@client.example\n"
            head += f"Date: {self.now:%a, %d %b %Y %H:%M:%S} +0000\nSubject: Offer {self._messages}\n\n"
            (self.folder / "maildir" / MAILBOX / "cur" / f"{self._messages}.K1.mail:2,S").write_text(
                head, encoding="utf-8"
            )
        for _ in range(self._random.randint(1, 40)):
            key = (f"701Ki{self._random.randint(0, 50):010d}AAA", f"2026-{self._random.randint(1, 12):02d}-01")
            self._feed[key] = (
                f"{self._random.randint(0, 900_000) / 100:.2f}",
                self._random.choice(("USD", "EUR", "dollars")),
            )
        path = self.folder / "feeds" / "campaign_costs.csv"
        path.parent.mkdir(exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([FEED_COLUMNS, *((*key, *values) for key, values in self._feed.items())])


def _make_opportunity(rng: random.Random, is_bad: bool) -> dict[str, Any]:
    stage = rng.choice(_STAGES)
    return {
        "Name": f"Deal {rng.randint(1, 9999)}, {rng.choice(_TEXTS)}",
        "StageName": stage,
        "Amount": None if rng.random() < 0.1 else rng.randint(0, 10_000_000) / 100,
        "CurrencyIsoCode": "dollars" if is_bad else rng.choice(("USD", "EUR")),
        "CloseDate": f"2026-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        "IsClosed": stage.startswith("Closed"),
        "IsWon": stage == "Closed Won",
        "OwnerId": f"005Ki{rng.randint(0, 40):010d}AAA",
        "Description": rng.choice(_TEXTS),
        "CreatedDate": "2025-12-01T08:00:00.000",
    }


def _make_lead(rng: random.Random, is_bad: bool) -> dict[str, Any]:
    return {
        "Company": rng.choice(_TEXTS),
        "Status": rng.choice(("New", "Working")),
        "OwnerId": None if is_bad else f"005Ki{rng.randint(0, 40):010d}AAA",
        "IsConverted": rng.random() < 0.2,
        "NumberOfEmployees": rng.choice((None, 5, 120)),
        "CreatedDate": "2025-12-01T08:00:00.000",
    }


def _make_line_item(rng: random.Random, is_bad: bool) -> dict[str, Any]:
    return {
        "OpportunityId": None if is_bad else f"006Ki{rng.randint(0, 2000):010d}AAA",
        "Quantity": rng.randint(1, 50),
        "TotalPrice": rng.randint(0, 1_000_000) / 100,
        "CreatedDate": "2025-12-01T08:00:00.000",
    }
