"""Figures that people get wrong, as small organisations: each was asked about in public, and its right value worked out by hand.

All cases share one org, and those with a personnel feed a second.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from storage.home import Home
from tests.e2e.small_orgs import activities, deals, leads, people
from tests.e2e.small_orgs.asking import Case
from tests.support.small_org import SmallOrg
from warehouse.dbt_build import build

pytestmark = pytest.mark.e2e

BUILD = ["build", "--exclude", "tag:after_models+", "--exclude-resource-type", "unit_test"]
ORGS: dict[str, tuple[Case, ...]] = {
    "crm": (*deals.CASES, *activities.CASES, *leads.CASES, *people.CASES),
    "staffed": people.STAFFED_CASES,
}


@pytest.mark.parametrize("name", ORGS)
def test_every_figure_of_a_small_org_is_right(name: str, tmp_path: Path, parsed_dbt: Path) -> None:
    org, home = SmallOrg(), Home(tmp_path / "home")
    checks = [(case.__name__, check) for case in ORGS[name] for check in case(org)]
    shutil.copytree(parsed_dbt, home.dbt)
    org.land(home)
    for _ in build(home, BUILD):
        pass
    wrong = []
    with duckdb.connect(str(home.warehouse), read_only=True) as opened:
        for case, (sql, right) in checks:
            rows = opened.execute(sql).fetchall()
            got = rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else rows
            if got != right:
                wrong.append(f"{case}: {sql}\n  gives {got!r}, right is {right!r}")
    assert not wrong, "\n".join(wrong)
