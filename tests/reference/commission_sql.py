"""Runs the commission models as dbt compiles them, in memory, on tables that a test writes: the SQL that pays, without a lake."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml

from incentives.boards import Board
from incentives.plan_tables import build_tables
from incentives.plans import Plan
from storage.operator_files import OperatorFile
from storage.settings import PROJECT_ROOT
from tests.reference.commission_oracle import Deal, Payment, Rep

AS_OF = datetime(2026, 6, 30, 12)  # noqa: DTZ001 - UTC without zone, as in the warehouse

# What the commission models read, in the column contract of the marts.
INPUTS = {
    "conformed.int_run_context": "as_of timestamp, as_of_date date, reporting_currency varchar, business_timezone varchar",
    "conformed.int_calendar__periods": "period_grain varchar, date_day date, period_start date, period_end date",
    "conformed.int_reps__versions": "rep_id varchar, role varchar",
    "conformed.int_opportunities__splits": "opportunity_id varchar, split_owner_id varchar, split_rate decimal(9, 6), split_type_id varchar,"
    " split_type_name varchar, is_sharing boolean, is_deleted boolean",
    "planning.int_quotas": "rep_id varchar, period_start date, quota_amount decimal(28, 2), currency varchar",
    "marts.dim_reps": "rep_id varchar, rep_name varchar, email varchar, employee_id varchar, is_rep boolean",
    "marts.dim_rep_versions": "rep_id varchar, role varchar, team_id varchar, team_name varchar, valid_from timestamp, valid_to timestamp,"
    " hired_date date, left_date date",
    "marts.dim_products": "product_id varchar, product_name varchar",
    "marts.fct_leads": "lead_id varchar, owner_id varchar, first_touch_rep_id varchar",
    "marts.fct_opportunities": "opportunity_id varchar, is_counted boolean, is_won boolean, lead_id varchar, product_id varchar,"
    " opportunity_type varchar, record_type varchar, process varchar, credited_at timestamp,"
    " closed_date date, amount decimal(28, 2), amount_reporting decimal(28, 2), rep_id varchar,"
    " load_id varchar, known_from timestamp",
    "marts.fct_invoices": "invoice_id varchar, opportunity_id varchar, rep_id varchar, invoice_date date, amount_reporting decimal(28, 2),"
    " is_counted boolean, load_id varchar, known_from timestamp",
    "marts.fct_payments": "payment_id varchar, opportunity_id varchar, rep_id varchar, payment_date date, amount_reporting decimal(28, 2),"
    " is_counted boolean, load_id varchar, known_from timestamp",
    "marts.kpi_rep_period": "rep_id varchar, period_grain varchar, period_start date, period_end date, bookings decimal(28, 2), deals_closed bigint,"
    " deals_created bigint, leads_generated bigint, calls_placed bigint, calls_connected bigint, phone_seconds bigint, emails_sent bigint,"
    " meetings_held bigint, prospect_data_entries bigint, invoiced decimal(28, 2), collected decimal(28, 2)",
}
# Models outside the folder that are built and not written: what pay starts from.
STARTING_POINTS = ("core/fct_opportunity_credits", "planning/int_quotas__by_period")

# What tests ask macros for, as SQL that dbt renders: the metrics that a board may rank by, in one line, and the decimals of a `currency`.
RENDERED = {
    "board_metrics": "{{ metric_registry().rankable | join(' ') }}",
    "currency_exponent": "{{ incentives_currency_exponent('currency') }}",
}


@functools.cache
def compiled_models() -> tuple[tuple[str, str], ...]:
    """`(relation, SQL)` of every commission model and of what pay starts from, parents first."""
    built = {name.rpartition("/")[2] for name in STARTING_POINTS}
    models = {
        node.unique_id: node
        for node in _compile_project()
        if node.resource_type == "model" and ("incentives" in node.fqn or node.name in built)
    }
    ordered: list[Any] = []
    while len(ordered) < len(models):
        done = {node.unique_id for node in ordered}
        ordered += [
            node
            for key, node in models.items()
            if key not in done and all(p in done or p not in models for p in node.depends_on.nodes)
        ]
    return tuple((node.relation_name, node.compiled_code) for node in ordered)


def render_macro(name: str) -> str:
    """What dbt makes of one of `RENDERED`."""
    return next(
        str(node.compiled_code) for node in _compile_project() if node.resource_type == "analysis" and node.name == name
    )


@functools.cache
def _compile_project() -> tuple[Any, ...]:
    """Every node of the project as dbt compiles it, once a session."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    with tempfile.TemporaryDirectory() as folder:
        project = _copy_project(Path(folder))
        before = os.environ.get("SALESOPS_WAREHOUSE")
        os.environ["SALESOPS_WAREHOUSE"] = str(project / "warehouse.duckdb")
        try:
            folders = {
                "--project-dir": project,
                "--profiles-dir": project,
                "--target-path": project / "target",
                "--log-path": project / "logs",
            }
            result = dbtRunner().invoke(
                ["compile", "--quiet", *(str(part) for pair in folders.items() for part in pair)]
            )
        finally:
            DuckDBConnectionManager.close_all_connections()
            if before is None:
                del os.environ["SALESOPS_WAREHOUSE"]
            else:
                os.environ["SALESOPS_WAREHOUSE"] = before
    assert result.success, result.exception or [run.message for run in result.result.results]
    return tuple(run.node for run in result.result.results)


def _copy_project(folder: Path) -> Path:
    """The commission models and every macro, with empty models in place of what they read: parsing the whole project takes much longer."""
    source, project = PROJECT_ROOT / "dbt_project", folder / "project"
    shutil.copytree(source / "macros", project / "macros")
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(source / name, project / name)
    described = yaml.safe_load(
        (source / "models" / "incentives" / "_incentives__models.yml").read_text(encoding="utf-8")
    )["models"]
    marts = {model["name"] for model in described if model.get("config", {}).get("access") == "public"} | {
        "fct_opportunity_credits"
    }
    paths = [
        *(source / "models" / "incentives").glob("*.sql"),
        *(source / "models" / f"{name}.sql" for name in STARTING_POINTS),
    ]
    staged = [f"staging.{path.stem}" for path in (source / "models" / "staging" / "plans").glob("*.sql")]
    for relation in [*INPUTS, *staged]:
        layer, name = relation.split(".")
        _write_model(
            project / "models" / ("core" if layer == "marts" else layer),
            name,
            "select 1 as unused",
            is_mart=layer == "marts",
        )
    for path in paths:
        _write_model(
            project / "models" / path.parent.name,
            path.stem,
            path.read_text(encoding="utf-8"),
            is_mart=path.stem in marts,
        )
    (project / "analyses").mkdir()
    for name, call in RENDERED.items():
        (project / "analyses" / f"{name}.sql").write_text(call)
    return project


def _write_model(folder: Path, name: str, sql: str, *, is_mart: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    access = "{{ config(access='public') }}\n" if is_mart else ""
    (folder / f"{name}.sql").write_text(access + sql, encoding="utf-8")


def read_plan_text(plan: dict[str, Any]) -> OperatorFile[Plan]:
    """A plan as if read from a file; what a test does not say is filled in."""
    filled = {"name": plan["id"], "effective_from": "2024-01-01", "participants": [{"everyone": True}], **plan}
    return OperatorFile(Path(f"{plan['id']}.yml"), f"hash-of-{plan['id']}", Plan.model_validate(filled))


def build_commissions(
    plans: Sequence[OperatorFile[Plan]],
    deals: Sequence[Deal],
    reps: Sequence[Rep],
    *,
    quotas: dict[tuple[str, date], Decimal] | None = None,
    payments: Sequence[Payment] = (),
    boards: Sequence[OperatorFile[Board]] = (),
    kpis: Iterable[dict[str, Any]] = (),
    currency: str = "USD",
    adjustments: Sequence[dict[str, Any]] = (),
) -> duckdb.DuckDBPyConnection:
    """Build every commission mart over these rows and return the connection to them.

    Adjustments are put into `int_commission_adjustments` as a mechanic would: a test's rows are laid over an empty model.
    """
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as warehouse; use warehouse; set threads = 2")
    for schema in ("staging", "conformed", "planning", "incentives", "marts"):
        connection.execute(f"create schema {schema}")
    for table, columns in INPUTS.items():
        connection.execute(f"create table {table} ({columns})")
    _fill_plans(connection, plans, boards)
    _fill_company(connection, reps, quotas or {}, currency)
    _fill_deals(connection, deals, payments)
    for row in kpis:
        _insert(connection, "marts.kpi_rep_period", [row])
    for relation, sql in compiled_models():
        connection.execute(f"create table {relation} as {sql}")
        if relation.replace('"', "").endswith(".int_commission_adjustments"):
            _insert(connection, relation, adjustments)
    return connection


def _fill_plans(
    connection: duckdb.DuckDBPyConnection, plans: Sequence[OperatorFile[Plan]], boards: Sequence[OperatorFile[Board]]
) -> None:
    names = {
        "plans__plan": "stg_plans__plans",
        "plans__board": "stg_plans__boards",
        "plans__eligibility": "stg_plans__eligibility",
    }
    for table, rows in build_tables(plans, boards).items():
        connection.register("incoming", rows)
        staged = names.get(table, f"stg_{table}s")
        file = {
            "plans__plan": ", plan_id || '.yml' as plan_file",
            "plans__board": ", board_id || '.yml' as board_file",
        }.get(table, "")
        connection.execute(f"create table staging.{staged} as select * exclude (row_format){file} from incoming")
        connection.unregister("incoming")


def _fill_company(
    connection: duckdb.DuckDBPyConnection, reps: Sequence[Rep], quotas: dict[tuple[str, date], Decimal], currency: str
) -> None:
    context = {"as_of": AS_OF, "as_of_date": AS_OF.date(), "reporting_currency": currency, "business_timezone": "UTC"}
    _insert(connection, "conformed.int_run_context", [context])
    # The fiscal year starts in February, as in the default settings.
    connection.execute(
        """
        insert into conformed.int_calendar__periods
        with days as (select cast(unnest(generate_series(date '2023-12-01', date '2027-01-31', interval 1 day)) as date) as date_day),
        months as (select *, date_trunc('month', date_day)::date as month_start, (month(date_day) + 10) % 12 as months_in from days),
        starts as (
            select 'day' as grain, date_day, date_day as starts, 0 as months from months
            union all select 'month', date_day, month_start, 1 from months
            union all select 'quarter', date_day, (month_start - to_months(cast(months_in % 3 as integer)))::date, 3 from months
            union all select 'year', date_day, (month_start - to_months(cast(months_in as integer)))::date, 12 from months
        )
        select grain, date_day, starts, case when months = 0 then starts else (starts + to_months(months))::date - 1 end from starts
        """
    )
    names, versions = [], []
    for rep in reps:
        employee_id = rep.employee_id or f"E-{rep.rep_id}"
        names.append(
            {
                "rep_id": rep.rep_id,
                "rep_name": f"Name of {rep.rep_id}",
                "email": rep.email,
                "employee_id": employee_id,
                "is_rep": True,
            }
        )
        begin, change, end = datetime(1900, 1, 1), rep.changed_role_at, datetime(9999, 12, 31)  # noqa: DTZ001
        roles = (
            [(begin, change, rep.earlier_role), (change, end, rep.role)]
            if change and rep.earlier_role
            else [(begin, end, rep.role)]
        )
        for valid_from, valid_to, role in roles:
            version = {
                "role": role,
                "team_id": rep.team,
                "team_name": rep.team,
                "valid_from": valid_from,
                "valid_to": valid_to,
            }
            versions.append({"rep_id": rep.rep_id, **version})
    _insert(
        connection,
        "conformed.int_reps__versions",
        [{name: version[name] for name in ("rep_id", "role")} for version in versions],
    )
    _insert(connection, "marts.dim_reps", names)
    _insert(connection, "marts.dim_rep_versions", versions)
    stated = [
        {"rep_id": rep_id, "period_start": month, "quota_amount": quota, "currency": currency}
        for (rep_id, month), quota in quotas.items()
    ]
    _insert(connection, "planning.int_quotas", stated)


def _fill_deals(connection: duckdb.DuckDBPyConnection, deals: Sequence[Deal], payments: Sequence[Payment]) -> None:
    products = sorted({deal.product for deal in deals if deal.product})
    _insert(
        connection,
        "marts.dim_products",
        [{"product_id": f"id of {product}", "product_name": product} for product in products],
    )
    leads = [
        {"lead_id": f"lead of {deal.opportunity_id}", "owner_id": deal.sourced_by} for deal in deals if deal.sourced_by
    ]
    _insert(connection, "marts.fct_leads", leads)
    opportunities = [
        {
            "opportunity_id": deal.opportunity_id,
            "is_counted": True,
            "is_won": True,
            "lead_id": f"lead of {deal.opportunity_id}" if deal.sourced_by else None,
            "product_id": f"id of {deal.product}" if deal.product else None,
            "opportunity_type": deal.opportunity_type,
            "credited_at": deal.closed_at,
            "closed_date": deal.close_date,
            "amount": deal.amount,
            "amount_reporting": deal.amount,
            "rep_id": deal.owner,
            "load_id": "load-1",
            "known_from": deal.closed_at,
        }
        for deal in deals
    ]
    _insert(connection, "marts.fct_opportunities", opportunities)
    splits = [
        {
            "opportunity_id": deal.opportunity_id,
            "split_owner_id": who,
            "split_rate": percent / 100,
            "split_type_id": "type",
            "is_sharing": True,
            "is_deleted": False,
        }
        for deal in deals
        for who, percent in deal.splits.items()
    ]
    _insert(connection, "conformed.int_opportunities__splits", splits)
    paid = [
        {
            "payment_id": payment.payment_id,
            "opportunity_id": payment.deal.opportunity_id,
            "rep_id": payment.deal.owner,
            "payment_date": payment.paid_on,
            "amount_reporting": payment.amount,
            "is_counted": True,
            "load_id": "load-2",
            "known_from": AS_OF,
        }
        for payment in payments
    ]
    _insert(connection, "marts.fct_payments", paid)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all have the same columns."""
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(
            f"insert into {table} ({', '.join(rows[0])}) values ({marks})", [list(row.values()) for row in rows]
        )
