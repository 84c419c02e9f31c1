"""The rules on an export's canonical rows, by lake table.

An export is a snapshot: a key that occurs twice is the sender's mistake, and every row with that key is quarantined.
"""

from __future__ import annotations

from ingestion.contracts.rules import (
    E164,
    Rule,
    boolean_text,
    call_seconds,
    currency_code,
    date_or_timestamp_text,
    decimal_text,
    in_set,
    integer_text,
    matches,
    not_before,
    one_of,
    required,
    timestamp_text,
    unique,
)

CALL_STATUSES = ("answered", "missed", "abandoned", "busy", "voicemail", "failed")
_STAGE_FIX = (
    "Add a line to `stages` of the mapping file with the stage it stands for, such as `- {name: …, stage: proposal, order: 4, "
    "category: open, qualified: true, probability: 0.50}`; until then its opportunities count in no stage."
)

RULES: dict[str, tuple[Rule, ...]] = {
    "files__opportunity": (
        required("opportunity_id"),
        unique("opportunity_id"),
        # A row of totals or of a footer has none, and nothing can be said of a deal without.
        required("stage_name").where_there(),
        one_of("stage_name", "stages", fix=_STAGE_FIX),
        decimal_text("amount"),
        currency_code("currency"),
        date_or_timestamp_text("created_at"),
        date_or_timestamp_text("close_date"),
        date_or_timestamp_text("closed_at"),
        boolean_text("is_deleted"),
    ),
    "files__lead": (
        required("lead_id"),
        unique("lead_id"),
        date_or_timestamp_text("created_at"),
        date_or_timestamp_text("first_contact_at"),
        date_or_timestamp_text("converted_at"),
        boolean_text("is_deleted"),
    ),
    "files__account": (
        required("account_id"),
        unique("account_id"),
        boolean_text("is_deleted"),
        decimal_text("annual_revenue").warn(),
        integer_text("employee_count").warn(),
    ),
    "files__user": (required("user_id"), unique("user_id")),
    "files__product": (required("product_id"), unique("product_id"), decimal_text("list_price")),
    # Its key is unique too, unless the mapping counts identical rows as one (`files.ingest`).
    "files__call": (
        required("call_leg_id"),
        required("started_at"),
        timestamp_text("started_at"),
        timestamp_text("answered_at"),
        timestamp_text("ended_at"),
        not_before("ended_at", "started_at"),
        in_set("direction", ("inbound", "outbound"), "call_direction"),
        in_set("status", CALL_STATUSES, "call_status"),
        call_seconds("duration_seconds"),
        call_seconds("talk_seconds"),
        matches("from_number", E164, "e164").warn(),
        matches("to_number", E164, "e164").warn(),
    ),
}
