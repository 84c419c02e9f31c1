"""The canonical objects that an export is mapped to, and that staging reads whatever system it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ingestion.contracts import LakeTable, PersonalRows
from ingestion.sources.files.rules import RULES

Kind = Literal["text", "date", "timestamp", "decimal", "integer", "phone", "duration", "flag"]
EXTRA_PREFIX = "extra_"
# What connectors call the mark of a deleted row; read wherever a mapping does not say otherwise.
DELETION_MARKS = ("is_deleted", "isdeleted", "_fivetran_deleted")
# The column that says which currency an amount is in.
CURRENCY_OF = {("files__opportunity", "amount"): "currency"}
_PERSONAL = {
    "files__lead": PersonalRows("people"),
    "files__user": PersonalRows("staff"),
    "files__call": PersonalRows("calls"),
}


@dataclass(frozen=True)
class CanonicalObject:
    """One lake table that mappings fill.

    Attributes:
        table: Name of the lake table.
        key: Column that identifies a record; a row without it is quarantined.
        columns: Every canonical column with the kind of text it holds: date `YYYY-MM-DD`, timestamp
            `YYYY-MM-DDTHH:MM:SS.000Z` (UTC), decimal and integer plain digits, duration whole seconds, flag `true` or
            `false`, phone E.164 or, if the number cannot be dialled, the text as it came.
    """

    table: str
    key: str
    columns: dict[str, Kind]

    @property
    def lake_table(self) -> LakeTable:
        """The lake table, as landing knows it."""
        return LakeTable(self.table, (self.key,), rules=RULES[self.table], personal=_PERSONAL.get(self.table))


CANONICAL_OBJECTS: dict[str, CanonicalObject] = {
    canonical.table: canonical
    for canonical in (
        CanonicalObject(
            "files__opportunity",
            "opportunity_id",
            {
                "opportunity_id": "text",
                "opportunity_name": "text",
                "account_id": "text",
                "lead_id": "text",
                "owner_id": "text",
                "stage_name": "text",
                "amount": "decimal",
                "currency": "text",
                "created_at": "timestamp",
                "close_date": "date",
                "closed_at": "timestamp",
                "product_id": "text",
                "competitor": "text",
                "opportunity_type": "text",
                "lead_source": "text",
                "campaign_id": "text",
                "is_deleted": "flag",
            },
        ),
        CanonicalObject(
            "files__lead",
            "lead_id",
            {
                "lead_id": "text",
                "created_at": "timestamp",
                "first_contact_at": "timestamp",
                "lead_source": "text",
                "status": "text",
                "owner_id": "text",
                "campaign_id": "text",
                "company": "text",
                "industry": "text",
                "country": "text",
                "converted_at": "timestamp",
                "opportunity_id": "text",
                "is_deleted": "flag",
            },
        ),
        CanonicalObject(
            "files__account",
            "account_id",
            {
                "account_id": "text",
                "account_name": "text",
                "industry": "text",
                "country": "text",
                "employee_count": "integer",
                "annual_revenue": "decimal",
                "parent_account_id": "text",
                "is_deleted": "flag",
            },
        ),
        CanonicalObject(
            "files__user",
            "user_id",
            {
                "user_id": "text",
                "user_name": "text",
                "email": "text",
                "role": "text",
                "team": "text",
                "manager_id": "text",
                "manager_name": "text",
                "territory": "text",
            },
        ),
        CanonicalObject(
            "files__product",
            "product_id",
            {
                "product_id": "text",
                "product_name": "text",
                "family": "text",
                "list_price": "decimal",
            },
        ),
        CanonicalObject(
            "files__call",
            "call_leg_id",
            {
                "call_leg_id": "text",
                "call_id": "text",
                "direction": "text",
                "status": "text",
                "from_number": "phone",
                "to_number": "phone",
                "user_id": "text",
                "started_at": "timestamp",
                "answered_at": "timestamp",
                "ended_at": "timestamp",
                "duration_seconds": "duration",
                "talk_seconds": "duration",
            },
        ),
    )
}
