"""The rules on each feed's rows.

A feed is a snapshot: a key that occurs twice is the sender's mistake, and every row with that key is quarantined.
"""

from __future__ import annotations

from ingestion.contracts.rules import (
    YEAR,
    Rule,
    currency_code,
    date_text,
    decimal_text,
    in_set,
    matches,
    not_before,
    not_negative_text,
    required,
    unique,
)

ROLES = ("inside_rep", "outside_rep", "sales_manager", "sales_director")

RULES: dict[str, tuple[Rule, ...]] = {
    "personnel": (
        required("employee_id"),
        required("effective_date"),
        date_text("effective_date"),
        required("role"),
        in_set("role", ROLES, "sales_role").warn(),
        date_text("hire_date"),
        date_text("leave_date"),
        not_before("leave_date", "hire_date"),
        not_negative_text("fte", 5, 2),
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
        matches("period_start", rf"{YEAR}-(?:0[1-9]|1[0-2])-01", "first_of_month"),
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
        matches("rate", r"[0-9]{1,8}(?:\.[0-9]{1,10})?", "decimal_of_18_digits"),
        matches("rate", r".*[1-9].*", "above_zero"),
        required("source").warn(),
        unique("from_currency", "to_currency", "rate_date"),
    ),
}
