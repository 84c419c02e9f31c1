"""A small warehouse with planted personal data, and its marts as publishing gets them described."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from publishing.marts import Column, Mart
from publishing.masking import Masker
from publishing.policy import PublishPolicy
from publishing.published_set import Manifest, publish
from storage.home import Home

KEY = b"k" * 32
PLANTED = ("erika.mustermann@kunde.example", "+442079460018", "Erika Mustermann", "Max Muster", "4930123456")
MARTS = {
    "fct_activities": Mart(
        "Calls and mails. Grain, one row per activity.",
        {"activity_id": Column("Key."), "counterpart_key": Column("The other side's address or number.", is_pii=True)},
    ),
    "dim_accounts": Mart(
        "Accounts.", {"account_name": Column("The person's or company's name.", is_pii=True, pii_where="is_person")}
    ),
    "kpi_month": Mart("Bookings of a month.", {"bookings": Column("Sum.")}),
    "kpi_rep_period": Mart("Bookings of periods.", {"calls": Column("Sum.")}, grains=("day", "month")),
    "commission_lines": Mart("Pay.", {"line_id": Column("Key.")}, audience="pay"),
}


def make_policy(*in_clear: str, key: bytes = KEY, group: int | None = None) -> PublishPolicy:
    """A policy with a known key."""
    return PublishPolicy(Masker(key, "US"), frozenset(in_clear), group)


def build_warehouse(home: Home, amount: int = 5) -> None:
    """Marts as dbt leaves them: tables, a view whose sum is a HUGEINT, and a table that nobody described."""
    home.root.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("create schema if not exists marts")
        connection.execute(
            "create or replace table marts.fct_activities as from (values (1, 'erika.mustermann@kunde.example'), "
            "(2, ' Erika.Mustermann@KUNDE.example'), (3, '+442079460018'), (4, '+44 (20) 7946-0018'), (5, ''), (6, null), (7, '4930123456')) "
            "as t(activity_id, counterpart_key)"
        )
        connection.execute(
            "create or replace table marts.dim_accounts as "
            "from (values ('Erika Mustermann', 'E1', true), ('Max Muster', 'E2', null), ('Acme', 'E3', false)) "
            "as t(account_name, account_id, is_person)"
        )
        connection.execute(
            "create or replace table marts.amounts as select cast(? as bigint) as amount, cast(1.10 as decimal(28, 2)) as price",
            [amount],
        )
        connection.execute(
            "create or replace view marts.kpi_month as select sum(amount) as bookings, max(price) as price from marts.amounts"
        )
        connection.execute(
            "create or replace table marts.kpi_rep_period as from (values ('day', 1), ('month', 30)) as t(period_grain, calls)"
        )
        connection.execute(
            "create or replace table marts.commission_lines as select 'L1' as line_id, cast(? as decimal(28, 2)) as pay",
            [amount],
        )


def publish_run(home: Home, run_id: str = "run-1", amount: int = 5, **changes: object) -> Manifest:
    """Build the warehouse and publish it."""
    build_warehouse(home, amount)
    asked = {"marts": MARTS, "policy": make_policy(), **changes}
    return publish(home, run_id=run_id, as_of="2026-01-05", fingerprint=run_id, lake_versions={"crm__deal": 1}, **asked)  # type: ignore[arg-type]


def without_mark(mart: str, column: str) -> dict[str, Mart]:
    """The marts with one marking removed."""
    described = MARTS[mart]
    columns = {**described.columns, column: replace(described.columns[column], is_pii=False)}
    return {**MARTS, mart: replace(described, columns=columns)}
