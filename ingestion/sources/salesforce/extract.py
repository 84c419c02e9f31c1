"""One object, one window, one load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_UP, Decimal

from ingestion.errors import SalesforceJobFailed, SalesforceRefused
from ingestion.landing import Delivery, LandingReport, Vanished, Whole, land
from ingestion.sources.salesforce.client import SalesforceClient
from ingestion.sources.salesforce.config_file import SalesforceReading
from ingestion.sources.salesforce.drift import find_drift
from ingestion.sources.salesforce.objects import STAMPS, SalesforceObject
from ingestion.sources.salesforce.parts import WindowParts
from ingestion.sources.salesforce.query import count_window, read_ids
from ingestion.sources.salesforce.refusals import INVALID_FIELD, TOO_LARGE, find_fix, find_refused_field
from ingestion.sources.salesforce.soql import Window, read_instant, write_instant
from ingestion.sources.salesforce.windows import Backfill, Choice, choose_window, describe_whole_read
from storage.lake import Lake, LoadRecord


def ingest_object(
    client: SalesforceClient,
    lake: Lake,
    salesforce_object: SalesforceObject,
    *,
    until: datetime,
    run_id: str,
    allowed_values: Mapping[str, Sequence[str]] | None = None,
    reading: SalesforceReading | None = None,
    backfill: Backfill | None = None,
) -> LandingReport:
    """Land what changed in one object since its last load, deletions included; or read a window again.

    Args:
        client: The signed-in org.
        lake: The lake.
        salesforce_object: The object.
        until: The run's instant. The window is `[cursor - LOOK_BACK, until)`, without a lower bound on the first load
            and where the object must be read in full (`windows`).
        run_id: The orchestrator's run.
        allowed_values: `stages` and `lead_statuses` in force, see `contracts.LoadCheck`.
        reading: How to read Salesforce; by default as without `config/salesforce.yml`.
        backfill: Read this window instead, and leave the cursor where it is. Rows are compared with the lake's in all
            values, so that changes without a new stamp come too.

    Returns:
        The result of the load; a notice without rows if the org lacks the object or the request budget is used up.

    Raises:
        IngestionError: The object could not be read, its numbers do not add up, or its contract is broken. Nothing landed.
    """
    return _Load(
        client, lake, salesforce_object, until, run_id, allowed_values, reading or SalesforceReading(), backfill
    ).ingest()


@dataclass
class _Load:
    """One load of one object, tried again in another way where Salesforce refuses the one before.

    Attributes:
        needs_bulk: Whether the org found a query by REST too large.
        news: What to report about earlier attempts.
        lacks_needed_field: Whether a field that the contract names was left out.
    """

    client: SalesforceClient
    lake: Lake
    salesforce_object: SalesforceObject
    until: datetime
    run_id: str
    allowed_values: Mapping[str, Sequence[str]] | None
    reading: SalesforceReading
    backfill: Backfill | None
    needs_bulk: bool = False
    news: list[str] = field(default_factory=list)
    lacks_needed_field: bool = False

    def ingest(self) -> LandingReport:
        """Load the object; each refusal that another attempt may get around costs one attempt."""
        while True:
            try:
                report = self._try()
            except SalesforceRefused as refusal:
                if not (self._leave_out_field(refusal) or self._take_bulk(refusal)):
                    raise
                continue
            notice = " ".join([*self.news, *filter(None, [report.notice])])
            return replace(report, notice=notice, is_undone=report.is_undone or self.lacks_needed_field)

    def _leave_out_field(self, refusal: SalesforceRefused) -> bool:
        """Read without a field that is described and cannot be queried, if the refusal names one."""
        if refusal.code != INVALID_FIELD:
            return False
        name = self.salesforce_object.name
        refused = find_refused_field(refusal.what, [each.name for each in self.client.fields(name)])
        if refused is None or refused in ("Id", *STAMPS):
            return False
        self.client.leave_out(name, refused)
        self.lacks_needed_field |= any(refused in rule.columns for rule in self.salesforce_object.rules)
        self.news.append(
            f"{name}.{refused} is described by the org but cannot be queried ({refusal.code}): {name} was read without it. Give the reading "
            f"user access to the field, or add `{name}.{refused}` to leave_out in config/salesforce.yml."
        )
        return True

    def _take_bulk(self, refusal: SalesforceRefused) -> bool:
        """Read by Bulk what is too large for a query, unless a Bulk job was what failed."""
        if refusal.code not in TOO_LARGE or self.needs_bulk or isinstance(refusal, SalesforceJobFailed):
            return False
        self.needs_bulk = True
        self.news.append(
            f"Salesforce found a query of {self.salesforce_object.name} too large ({refusal.code}): a Bulk job read it. {find_fix(refusal.code)}"
        )
        return True

    def _count(self, window: Window) -> int | None:
        return None if self.needs_bulk else count_window(self.client, self.salesforce_object, window)

    def _try(self) -> LandingReport:
        client, salesforce_object, reading, backfill = self.client, self.salesforce_object, self.reading, self.backfill
        object_name, until = salesforce_object.name, self.until
        previous = self.lake.newest_load(salesforce_object.table)
        unread = LandingReport(salesforce_object.table, cursor=previous.cursor if previous else None)
        is_there = object_name in client.object_names  # asked first: the answer says how much of the budget is spent
        if spent := client.session.budget.describe_spent(reading.api_budget_share):
            return replace(unread, notice=f"{object_name} was not read. {spent}", is_undone=True)
        if not is_there:
            return replace(unread, notice=_say_missing(object_name, previous))
        choice = choose_window(client, salesforce_object, previous, until, reading, backfill)
        if choice.window.is_empty:
            return unread
        expected = self._count(choice.window)
        if expected == 0 and not choice.moves_cursor:
            return unread
        drift = find_drift(salesforce_object, client.fields(object_name), previous, reading.accepted_types)
        if drift.new_fields and choice.may_become_whole:
            choice = choice.made_whole("may have values in its new fields that touched no stamp")
            expected = None if expected is None else self._count(choice.window)
        parts = WindowParts(client, salesforce_object, choice.window, expected)
        report = land(
            self.lake,
            salesforce_object.stamped_by(choice.window.field).lake_table,
            Delivery(
                parts.read(),
                lambda: parts.source_count,
                cursor=(previous.cursor if previous else None) if backfill else _move_cursor(previous, until),
                window=(_write_bound(choice.window.since), _write_bound(choice.window.until)),
                details=lambda: {
                    **parts.details,
                    **drift.keep(with_new_fields=backfill is None),
                    **describe_whole_read(choice, previous, until, backfill),
                },
                more_rules=drift.rules,
                compare_values=choice.is_whole or backfill is not None,
                whole=_describe_whole(client, salesforce_object, choice, reading, by_bulk=self.needs_bulk),
            ),
            known_at=until,
            run_id=self.run_id,
            allowed_values=self.allowed_values,
            keep_record=backfill is None,  # else every run would re-read the look-back's rows until something changes
        )
        return replace(
            report,
            notice=" ".join(
                [
                    *drift.notices,
                    *_say_whole(object_name, choice),
                    *_say_vanished(object_name, report.vanished, reading),
                ]
            ),
        )


def _move_cursor(previous: LoadRecord | None, until: datetime) -> str:
    """Where the next load continues: never further back, not even after a run for an earlier instant."""
    return write_instant(max(until, read_instant(previous.cursor)) if previous and previous.cursor else until)


def _describe_whole(
    client: SalesforceClient,
    salesforce_object: SalesforceObject,
    choice: Choice,
    reading: SalesforceReading,
    *,
    by_bulk: bool,
) -> Whole | None:
    """How a full read tells which records are gone, where gone means deleted.

    A record that changed after the window's end is alive but not in the window. So if records are missing, the ids of
    all records changed since are read too, after the window. A record has one stamp, which only grows, so every record
    that exists is in one of the two reads. That costs one request if nothing changed since, and none if nothing is
    missing. Asking for each missing id would cost most exactly when a permission hides records by the million.
    """
    if not choice.is_whole or not salesforce_object.is_gone_only_when_deleted(
        [field.name for field in client.fields(salesforce_object.name)]
    ):
        return None
    changed_since = Window(choice.window.field, choice.window.until, None)
    return Whole(
        "IsDeleted",
        lambda: read_ids(client, salesforce_object, changed_since, by_bulk=by_bulk),
        reading.vanished_share,
    )


def _say_whole(object_name: str, choice: Choice) -> list[str]:
    return [f"{object_name} {choice.whole_because} and was read whole."] if choice.is_whole else []


def _say_vanished(object_name: str, vanished: Vanished, reading: SalesforceReading) -> list[str]:
    if not vanished.records:
        return []
    if vanished.is_believed:
        several = f"{vanished.records:,} records of {object_name} are gone from the org and were not seen deleted: they are marked deleted now."
        return [
            several
            if vanished.records > 1
            else f"1 record of {object_name} is gone from the org and was not seen deleted: it is marked deleted now."
        ]
    needed = (Decimal(vanished.records) / vanished.alive).quantize(Decimal("0.001"), ROUND_UP)
    return [
        f"{vanished.records:,} of {vanished.alive:,} records of {object_name} are gone from the org, more than the vanished_share of "
        f"{reading.vanished_share} allows for: none was marked deleted, everything else landed. Check what the reading user may see. If they were "
        f"deleted on purpose, set vanished_share in config/salesforce.yml to {needed} or more: the next run marks them."
    ]


def _write_bound(instant: datetime | None) -> str | None:
    return write_instant(instant) if instant else None


def _say_missing(object_name: str, previous: LoadRecord | None) -> str:
    if previous is None:
        return f"The org has no object {object_name}, or the user may not read it: skipped."
    return (
        f"The org has no object {object_name} any more, or the user may no longer read it: skipped. What landed before stays, and "
        "reading goes on from there when it is back."
    )
