"""What calls, mail, feeds, mapped files and settings must satisfy.

A feed or a file is a snapshot: a key that occurs twice in it is a mistake of the sender, and every row with that key is set aside.
"""

from __future__ import annotations

from ingestion.contracts.rules import (
    MAIL_ADDRESS,
    NOT_NEGATIVE_INTEGER,
    RFC_2822,
    Rule,
    currency_code,
    date_or_timestamp_text,
    date_text,
    decimal_text,
    in_set,
    matches,
    not_before,
    not_negative_text,
    one_of,
    required,
    timestamp_text,
    unique,
)

EPOCH_SECONDS = r"^[0-9]{9,10}$"
CALL_STATUSES = ("queued", "initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed", "canceled")
CALL_DIRECTIONS = ("inbound", "outbound-api", "outbound-dial", "trunking-originating", "trunking-terminating")
FILE_CALL_STATUSES = ("answered", "missed", "abandoned", "busy", "voicemail", "failed")
E164 = r"^\+[1-9][0-9]{1,14}$"
ROLES = ("inside_rep", "outside_rep", "sales_manager", "sales_director")
_STAGE_FIX = "Add it to config/stages.yml, or to the value map of the mapping file, with the stage it stands for, and run again."

# An extension, a withheld number or a name is a fact, not a mistake: the row lands, and the load says how many there were.
_NUMBERS_ARE_READ = Rule("numbers_are_e164", "warn", ("unread_numbers",), "ExpectColumnValuesToBeNull")

TELEPHONY: dict[str, tuple[Rule, ...]] = {
    "call": (
        required("sid"),
        required("status"),
        in_set("status", CALL_STATUSES, "call_status"),
        in_set("direction", CALL_DIRECTIONS, "call_direction"),
        matches("start_time", RFC_2822, "rfc_2822"),
        matches("end_time", RFC_2822, "rfc_2822"),
        matches("duration", NOT_NEGATIVE_INTEGER, "seconds"),
        _NUMBERS_ARE_READ,
    ),
    "aircall_call": (
        required("id"),
        required("direction"),
        in_set("direction", ("inbound", "outbound"), "call_direction"),
        required("started_at"),
        matches("started_at", EPOCH_SECONDS, "epoch_seconds"),
        matches("answered_at", EPOCH_SECONDS, "epoch_seconds"),
        matches("ended_at", EPOCH_SECONDS, "epoch_seconds"),
        matches("duration", NOT_NEGATIVE_INTEGER, "seconds"),
        _NUMBERS_ARE_READ,
    ),
    "ringcentral_call": (
        required("id"),
        required("sessionId"),
        required("direction"),
        in_set("direction", ("Inbound", "Outbound"), "call_direction"),
        required("startTime"),
        timestamp_text("startTime"),
        timestamp_text("lastModifiedTime"),
        matches("duration", NOT_NEGATIVE_INTEGER, "seconds"),
        _NUMBERS_ARE_READ,
    ),
}

MAIL: dict[str, tuple[Rule, ...]] = {
    "message": (
        required("message_key"),
        required("mailbox"),
        required("message_id").warn(),
        required("from_address"),
        matches("from_address", MAIL_ADDRESS, "mail_address").warn(),
        required("date"),
        timestamp_text("date"),
    ),
}

FEED: dict[str, tuple[Rule, ...]] = {
    "personnel": (
        required("employee_id"),
        required("effective_date"),
        date_text("effective_date"),
        required("role"),
        in_set("role", ROLES, "sales_role").warn(),
        date_text("hire_date"),
        date_text("leave_date"),
        not_before("leave_date", "hire_date"),
        not_negative_text("fte"),
        unique("employee_id", "effective_date"),
    ),
    "absences": (
        required("employee_id"),
        required("start_date"),
        date_text("start_date"),
        required("end_date"),
        date_text("end_date"),
        not_before("end_date", "start_date"),
        required("kind"),
        unique("employee_id", "start_date", "kind"),
    ),
    "quotas": (
        required("employee_id"),
        required("period_start"),
        matches("period_start", r"^[0-9]{4}-(?:0[1-9]|1[0-2])-01$", "first_of_month"),
        required("quota_amount"),
        not_negative_text("quota_amount"),
        required("currency"),
        currency_code("currency"),
        unique("employee_id", "period_start"),
    ),
    "invoices": (
        required("invoice_id"),
        required("opportunity_id"),
        required("invoice_date"),
        date_text("invoice_date"),
        required("amount"),
        decimal_text("amount"),
        required("currency"),
        currency_code("currency"),
        date_text("due_date").warn(),
        unique("invoice_id"),
    ),
    "payments": (
        required("payment_id"),
        required("invoice_id"),
        required("payment_date"),
        date_text("payment_date"),
        required("amount"),
        decimal_text("amount"),
        required("currency"),
        currency_code("currency"),
        unique("payment_id"),
    ),
    "campaign_costs": (
        required("campaign_id"),
        required("cost_date"),
        date_text("cost_date"),
        required("amount"),
        decimal_text("amount"),
        required("currency"),
        currency_code("currency"),
        unique("campaign_id", "cost_date"),
    ),
    "product_costs": (
        required("product_code"),
        required("valid_from"),
        date_text("valid_from"),
        required("unit_cost"),
        not_negative_text("unit_cost"),
        required("currency"),
        currency_code("currency"),
        unique("product_code", "valid_from"),
    ),
    "exchange_rates": (
        required("from_currency"),
        currency_code("from_currency"),
        required("to_currency"),
        currency_code("to_currency"),
        required("rate_date"),
        date_text("rate_date"),
        required("rate"),
        matches("rate", r"^[0-9]{1,8}(?:\.[0-9]{1,10})?$", "decimal_of_18_digits"),
        matches("rate", r"[1-9]", "above_zero"),
        required("source").warn(),
        unique("from_currency", "to_currency", "rate_date"),
    ),
}

FILES: dict[str, tuple[Rule, ...]] = {
    "opportunity": (
        required("opportunity_id"),
        unique("opportunity_id"),
        one_of("stage_name", "stages", fix=_STAGE_FIX),
        decimal_text("amount"),
        currency_code("currency"),
        date_or_timestamp_text("created_at"),
        date_or_timestamp_text("close_date"),
        date_or_timestamp_text("closed_at"),
    ),
    "lead": (
        required("lead_id"),
        unique("lead_id"),
        date_or_timestamp_text("created_at"),
        date_or_timestamp_text("first_contact_at"),
        date_or_timestamp_text("converted_at"),
    ),
    "account": (
        required("account_id"),
        unique("account_id"),
        decimal_text("annual_revenue").warn(),
        decimal_text("employee_count").warn(),
    ),
    "user": (required("user_id"), unique("user_id")),
    "product": (required("product_id"), unique("product_id"), decimal_text("list_price")),
    # No rule that keys are unique: rows that repeat each other were let in by the mapping, others refused.
    "call": (
        required("call_leg_id"),
        required("started_at"),
        timestamp_text("started_at"),
        timestamp_text("answered_at"),
        timestamp_text("ended_at"),
        not_before("ended_at", "started_at"),
        in_set("direction", ("inbound", "outbound"), "call_direction"),
        in_set("status", FILE_CALL_STATUSES, "call_status"),
        matches("duration_seconds", NOT_NEGATIVE_INTEGER, "seconds"),
        matches("talk_seconds", NOT_NEGATIVE_INTEGER, "seconds"),
        matches("from_number", E164, "e164").warn(),
        matches("to_number", E164, "e164").warn(),
    ),
}
