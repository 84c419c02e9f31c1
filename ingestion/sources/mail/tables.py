"""The table of messages, and the rules on its rows."""

from __future__ import annotations

from ingestion.contracts import LakeTable, PersonalRows
from ingestion.contracts.rules import (
    BIGINT_LIMIT,
    MAIL_ADDRESS,
    boolean_text,
    integer_text,
    matches,
    required,
    utc_timestamp_text,
)

MESSAGE_TABLE = "mail__message"
MESSAGES = LakeTable(
    MESSAGE_TABLE,
    key=("mailbox", "message_key"),
    version_column="message_key",  # a message never changes
    record_time_column="date",
    rules=(
        required("message_key"),
        required("mailbox"),
        required("message_id").warn(),
        required("from_address"),
        matches("from_address", MAIL_ADDRESS, "mail_address").warn(),
        required("date"),
        utc_timestamp_text("date"),
        utc_timestamp_text("received_at").warn(),
        boolean_text("is_auto_reply"),
        boolean_text("is_bounce"),
        boolean_text("is_newsletter"),
        integer_text("size_bytes", BIGINT_LIMIT).warn(),
    ),
    personal=PersonalRows("messages"),
)
