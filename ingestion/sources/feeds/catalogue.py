"""Which feeds there are and what their columns mean. `documentation` writes `docs/feeds.md` from this table."""

from __future__ import annotations

from dataclasses import dataclass

from ingestion.contracts import LakeTable, PersonalRows
from ingestion.sources.feeds.rules import RULES


@dataclass(frozen=True)
class FeedColumn:
    """One column of a feed.

    Attributes:
        name: As in the header.
        meaning: What it says, with its unit and form.
        is_required: Whether a file without the column is refused. The contract decides whether a *value* is required.
        is_day: Whether its values are days.
        is_private: Whether its values are left out of messages: why somebody was away is nobody's business.
    """

    name: str
    meaning: str
    is_required: bool = True
    is_day: bool = False
    is_private: bool = False


@dataclass(frozen=True)
class Feed:
    """One feed: `<name>.csv` or `<name>.parquet` in the feeds folder.

    Attributes:
        name: The file's name without ending.
        grain: What one row stands for.
        key: Columns that identify a row; a row with the same key and other values is a correction.
        columns: Its columns; a file may have more, which land as they are.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[FeedColumn, ...]

    @property
    def table(self) -> str:
        """Name of the lake table it lands in."""
        return f"feed__{self.name}"

    @property
    def lake_table(self) -> LakeTable:
        """The lake table, as landing knows it."""
        return LakeTable(
            self.table,
            self.key,
            rules=RULES[self.name],
            personal=PersonalRows("staff") if self.name == "personnel" else None,
        )

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Columns without which the file is refused."""
        return tuple(column.name for column in self.columns if column.is_required)


def _day(name: str, meaning: str) -> FeedColumn:
    return FeedColumn(name, meaning, is_day=True)


def _optional(name: str, meaning: str) -> FeedColumn:
    return FeedColumn(name, meaning, is_required=False)


_CURRENCY = FeedColumn("currency", "ISO 4217, three capitals")

FEEDS: tuple[Feed, ...] = (
    Feed(
        "personnel",
        "an employee's state from a day on, until the next row of the same employee",
        ("employee_id", "effective_date"),
        (
            FeedColumn("employee_id", "the personnel system's id; matches `EmployeeNumber` of the CRM user"),
            FeedColumn("email", "work address; matches the CRM user where the number does not"),
            FeedColumn("full_name", "as it is shown in reports"),
            _day("effective_date", "the day from which the row holds"),
            FeedColumn("role", "`inside_rep`, `outside_rep`, `sales_manager` or `sales_director`"),
            FeedColumn("team", "name of the team"),
            FeedColumn("manager_employee_id", "`employee_id` of the manager; blank at the top"),
            _optional("territory", "name of the territory"),
            _day("hire_date", "first day of employment"),
            _day("leave_date", "last day of employment, on the row that ends it; blank before"),
            _optional("fte", "share of full time, 0 to 1; blank means 1"),
            _optional(
                "calendar",
                "name of the working calendar the employee follows; staged, but business time follows the company's",
            ),
        ),
    ),
    Feed(
        "absences",
        "an absence of an employee",
        ("employee_id", "start_date", "kind"),
        (
            FeedColumn("employee_id", "who"),
            _day("start_date", "first day away"),
            _day("end_date", "last day away, itself included"),
            FeedColumn("kind", "vacation, sickness, training …", is_private=True),
        ),
    ),
    Feed(
        "quotas",
        "a rep's quota of one month; a team's is the sum of its reps'",
        ("employee_id", "period_start"),
        (
            FeedColumn("employee_id", "whose"),
            _day("period_start", "first day of the month"),
            FeedColumn(
                "quota_amount", "amount to be credited in the month, in full: ramp and proration are worked out"
            ),
            _CURRENCY,
        ),
    ),
    Feed(
        "invoices",
        "an invoice",
        ("invoice_id",),
        (
            FeedColumn("invoice_id", "the accounting system's id"),
            FeedColumn("opportunity_id", "the CRM's opportunity it bills"),
            _day("invoice_date", "day it was issued"),
            FeedColumn("amount", "net amount; negative for a credit note"),
            _CURRENCY,
            FeedColumn("due_date", "day it is due", is_required=False, is_day=True),
        ),
    ),
    Feed(
        "payments",
        "a payment of an invoice, or of a part of it",
        ("payment_id",),
        (
            FeedColumn("payment_id", "the accounting system's id"),
            FeedColumn("invoice_id", "the invoice it pays"),
            _day("payment_date", "day the money came in"),
            FeedColumn("amount", "amount; negative where it was paid back"),
            _CURRENCY,
        ),
    ),
    Feed(
        "campaign_costs",
        "what a campaign cost on a day",
        ("campaign_id", "cost_date"),
        (
            FeedColumn("campaign_id", "the CRM's campaign"),
            _day("cost_date", "the day"),
            FeedColumn("amount", "cost of that day"),
            _CURRENCY,
        ),
    ),
    Feed(
        "product_costs",
        "a product's unit cost from a day on, until its next row",
        ("product_code", "valid_from"),
        (
            FeedColumn("product_code", "the CRM's product code"),
            _day("valid_from", "the day from which it holds"),
            FeedColumn("unit_cost", "cost of one unit"),
            _CURRENCY,
        ),
    ),
    Feed(
        "exchange_rates",
        "what one unit of a currency costs in another from a day on, until the pair's next row",
        ("from_currency", "to_currency", "rate_date"),
        (
            FeedColumn("from_currency", "ISO 4217, three capitals; one unit of it …"),
            FeedColumn("to_currency", "… is this many units (`rate`) of this one"),
            _day("rate_date", "the day from which it holds"),
            FeedColumn("rate", "above 0, up to 8 digits before the point and up to 10 after it"),
            FeedColumn("source", "who says so: a bank, a treasury, a rate service"),
        ),
    ),
)
