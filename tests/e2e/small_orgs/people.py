"""People: roles and territories without a personnel feed, and, beside one, those who came back or have several records."""

from __future__ import annotations

from decimal import Decimal

from tests.e2e.small_orgs.asking import Case, Check, rep_month
from tests.support.small_org import SmallOrg


def a_role_is_what_the_settings_say(org: SmallOrg) -> list[Check]:
    role = org.add("UserRole", "2019-01-01T12:00:00.000Z", Name="Client Partner")
    return [
        (f"select role from marts.dim_reps where rep_id = '{org.user('Rolf Role', UserRoleId=role)}'", "outside_rep")
    ]


def a_former_lead_sells(org: SmallOrg) -> list[Check]:
    former, leading = org.user("Fred Former"), org.user("Lena Leading")
    org.user("Gone Longago", IsActive=False, ManagerId=former)
    junior = org.user("Jo Junior", ManagerId=leading)
    for owner in (former, junior):
        steps = ("2026-09-05T15:00:00.000Z", "Discovery"), ("2026-10-15T15:00:00.000Z", "Closed Won")
        org.deal(owner, "9000.00", "2026-10-15", *steps)
    role = "select role from marts.dim_reps where rep_id ="
    return [
        (f"{role} '{former}'", "rep"),
        (f"{role} '{leading}'", "sales_manager"),
        (f"select is_rep from marts.dim_reps where rep_id = '{org.user('Ann Admin')}'", False),
    ]


def territories_of_a_planned_model_do_not_count(org: SmallOrg) -> list[Check]:
    rep, torn, at = org.user("Tess Territory"), org.user("Toni Torn"), "2026-01-01T12:00:00.000Z"
    models = [org.add("Territory2Model", at, Name=state, State=state) for state in ("Active", "Planning")]
    west, planned = (org.add("Territory2", at, Name="West", Territory2ModelId=model) for model in models)
    south = org.add("Territory2", at, Name="South", Territory2ModelId=models[0])
    for person, territory in ((rep, west), (rep, planned), (torn, west), (torn, south)):
        org.add("UserTerritory2Association", at, UserId=person, Territory2Id=territory, IsActive=True)
    where = "select territory_id from marts.dim_reps where rep_id ="
    return [(f"{where} '{rep}'", west), (f"{where} '{torn}'", "unassigned")]


def somebody_hired_again_is_employed_again(org: SmallOrg) -> list[Check]:
    back, stayed, team = (
        org.user("Rena Hired", EmployeeNumber="E1"),
        org.user("Stan Stayed", EmployeeNumber="E2"),
        "Rehired",
    )
    org.employed("E1", "Rena Hired", team, "2024-02-01", "2024-02-01")
    org.employed("E1", "Rena Hired", team, "2025-03-31", "2024-02-01", left="2025-03-31")
    org.employed("E1", "Rena Hired", team, "2026-05-01", "2026-05-01")
    org.employed("E2", "Stan Stayed", team, "2024-02-01", "2024-02-01")
    for owner, amount, month in (
        (back, "30000.00", "2026-09"),
        (stayed, "10000.00", "2026-09"),
        (stayed, "5000.00", "2025-09"),
    ):
        org.deal(
            owner,
            amount,
            f"{month}-10",
            (f"{month}-05T15:00:00.000Z", "Discovery"),
            (f"{month}-10T15:00:00.000Z", "Closed Won"),
        )
    quarter = (
        f"from marts.kpi_team_period where team_id = '{team}' and period_grain = 'quarter' and period_start = date"
    )
    return [
        (f"select is_active from marts.dim_reps where rep_id = '{back}'", True),
        (f"select left_date from marts.dim_reps where rep_id = '{back}'", None),
        (f"select average_quarterly_revenue_per_rep {quarter} '2026-08-01'", 20000.0),
        (f"select average_quarterly_revenue_per_rep_denominator {quarter} '2025-08-01'", 1),
        (rep_month("available_minutes", back, "2026-09"), 21 * 480),
    ]


def two_user_records_are_one_person(org: SmallOrg) -> list[Check]:
    first = org.user("Una Twice", EmployeeNumber="E3", Phone="+1 212 555 0120", IsActive=False)
    second = org.user("Una Twice", "2026-05-01T12:00:00.000Z", EmployeeNumber="E3", Phone="+1 212 555 0120")
    org.employed("E3", "Una Twice", "Twice", "2019-02-01", "2019-02-01")
    for user, amount, month in ((first, "12000.00", "2025-09"), (second, "3000.00", "2026-09")):
        org.deal(
            user,
            amount,
            f"{month}-10",
            (f"{month}-05T15:00:00.000Z", "Discovery"),
            (f"{month}-10T15:00:00.000Z", "Closed Won"),
        )
    org.call("+12125550120", "+16465550201", "2026-09-11")
    return [
        (
            f"select sum(bookings) from marts.kpi_rep_period where rep_id = '{first}' and period_grain = 'year'",
            Decimal(15000),
        ),
        (f"select count(*) from marts.dim_reps where rep_id = '{second}'", 0),
        (rep_month("calls_placed", first, "2026-09"), 1),
    ]


def a_new_personnel_number_is_the_same_person(org: SmallOrg) -> list[Check]:
    rep, team = org.user("Nina Newnumber"), "Renumbered"
    org.employed("E4", "Nina Newnumber", team, "2024-02-01", "2024-02-01")
    org.employed("E4", "Nina Newnumber", team, "2025-03-31", "2024-02-01", left="2025-03-31")
    org.employed("E5", "Nina Newnumber", team, "2026-05-01", "2026-05-01")
    org.deal(
        rep,
        "3000.00",
        "2026-09-10",
        ("2026-08-05T15:00:00.000Z", "Discovery"),
        ("2026-09-10T15:00:00.000Z", "Closed Won"),
    )
    return [
        (f"select count(*) from marts.dim_reps where rep_name = 'Nina Newnumber' and rep_id = '{rep}'", 1),
        (
            f"select sum(bookings) from marts.kpi_team_period where team_id = '{team}' and period_grain = 'month'",
            Decimal(3000),
        ),
    ]


def a_quota_of_a_late_starter_is_prorated(org: SmallOrg) -> list[Check]:
    rep = org.user("Lara Late", EmployeeNumber="E6")
    org.employed("E6", "Lara Late", "Late", "2026-09-16", "2026-09-16")
    org.row("quotas", employee_id="E6", period_start="2026-09-01", quota_amount="10000", currency="USD")
    # September 2026 has 21 business days in New York (Labor Day out), 11 of them from the 16th on.
    return [(rep_month("quota_amount", rep, "2026-09"), Decimal("5238.10"))]


CASES: tuple[Case, ...] = (
    a_role_is_what_the_settings_say,
    a_former_lead_sells,
    territories_of_a_planned_model_do_not_count,
)
# Beside a personnel feed other users are no sales people, so these have an org of their own.
STAFFED_CASES: tuple[Case, ...] = (
    somebody_hired_again_is_employed_again,
    two_user_records_are_one_person,
    a_new_personnel_number_is_the_same_person,
    a_quota_of_a_late_starter_is_prorated,
)
