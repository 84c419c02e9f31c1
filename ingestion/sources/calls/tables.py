"""The table of each provider's calls, and the rules on its rows."""

from __future__ import annotations

from ingestion.contracts import LakeTable, PersonalRows
from ingestion.contracts.rules import (
    EPOCH_SECONDS,
    RFC_2822,
    Rule,
    call_seconds,
    in_set,
    matches,
    required,
    timestamp_text,
)

CALL_STATUSES = (
    "queued",
    "initiated",
    "ringing",
    "in-progress",
    "completed",
    "busy",
    "no-answer",
    "failed",
    "canceled",
)
CALL_DIRECTIONS = ("inbound", "outbound-api", "outbound-dial", "trunking-originating", "trunking-terminating")
RECORDED_AT = "recorded_at"  # a column of ours: Aircall has no change timestamp

# An extension, a withheld number or a name is a fact, not a mistake: the row lands, and the load says how many there were.
_NUMBERS_ARE_READ = Rule("numbers_are_e164", "warn", ("unread_numbers",), "ExpectColumnValuesToBeNull")

TWILIO_CALLS = LakeTable(
    "telephony__call",
    key=("sid",),
    version_column=None,  # nothing says that `date_updated` moves when the price is filled in
    record_time_column="date_updated",
    rules=(
        required("sid"),
        required("status"),
        in_set("status", CALL_STATUSES, "call_status"),
        in_set("direction", CALL_DIRECTIONS, "call_direction"),
        matches("start_time", RFC_2822, "rfc_2822"),
        matches("end_time", RFC_2822, "rfc_2822"),
        matches("date_created", RFC_2822, "rfc_2822"),
        matches("date_updated", RFC_2822, "rfc_2822"),
        call_seconds("duration"),
        _NUMBERS_ARE_READ,
    ),
    personal=PersonalRows("calls"),
)
AIRCALL_CALLS = LakeTable(
    "telephony__aircall_call",
    key=("id",),
    record_time_column=RECORDED_AT,
    rules=(
        required("id"),
        required("direction"),
        in_set("direction", ("inbound", "outbound"), "call_direction"),
        required("started_at"),
        matches("started_at", EPOCH_SECONDS, "epoch_seconds"),
        matches("answered_at", EPOCH_SECONDS, "epoch_seconds"),
        matches("ended_at", EPOCH_SECONDS, "epoch_seconds"),
        call_seconds("duration"),
        _NUMBERS_ARE_READ,
    ),
    personal=PersonalRows("calls"),
)
RINGCENTRAL_CALLS = LakeTable(
    "telephony__ringcentral_call",
    key=("id",),
    version_column="lastModifiedTime",
    record_time_column="lastModifiedTime",
    rules=(
        required("id"),
        required("sessionId"),
        required("direction"),
        in_set("direction", ("Inbound", "Outbound"), "call_direction"),
        required("startTime"),
        timestamp_text("startTime"),
        timestamp_text("lastModifiedTime"),
        call_seconds("duration"),
        _NUMBERS_ARE_READ,
    ),
    personal=PersonalRows("calls"),
)

CALL_TABLES = (TWILIO_CALLS, AIRCALL_CALLS, RINGCENTRAL_CALLS)
