"""The company of the fault servers, in its own process."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulation.servers.queries import find_object
from tests.servers_sample import set_clock, write_company
from tests.support.fault_servers.changeable_company import ChangeableCompany
from tests.support.fault_servers.faults import AddField


class TestValuesInUse:
    """`values_in_use`: what `describe` shows of a picklist, over files and changed records."""

    @pytest.fixture()
    def own(self, tmp_path: Path) -> ChangeableCompany:
        return ChangeableCompany(write_company(tmp_path, leads=40, calls=3, mail=3))

    def values(self, state: ChangeableCompany, object_name: str = "Lead", column: str = "Status") -> list[str]:
        return state.values_in_use(find_object(state, object_name).table, column)

    def test_changed_records_add_theirs_at_once(self, own: ChangeableCompany) -> None:
        before = self.values(own)
        own.put_records("Lead", [{"Id": "00Q5g0000000030AAA", "Status": "Nurtured"}], {})
        added = self.values(own)
        own.put_records("Lead", [{"Id": "00Q5g0000000030AAA", "Status": "Asleep"}], {})

        assert (before, added) == (["New", "Working"], ["New", "Nurtured", "Working"])
        assert self.values(own) == ["Asleep", "New", "Working"]

    def test_one_of_the_files_stays_when_no_record_has_it_any_more(self, own: ChangeableCompany) -> None:
        own.put_records(
            "Opportunity", [{"Id": f"0065g{number:010}AAA", "StageName": "Won"} for number in range(1, 5)], {}
        )
        own.purge_records("Lead", [f"00Q5g{number:010}AAA" for number in range(2, 41, 2)])

        assert self.values(own, "Opportunity", "StageName") == ["Proposal", "Won"]
        assert self.values(own) == ["New", "Working"]

    def test_an_object_and_a_column_that_only_changes_have(self, own: ChangeableCompany) -> None:
        own.put_records(
            "Toy__c", [{"Id": "a01000000000001AAA", "Type": "Ball"}, {"Id": "a01000000000002AAA", "Type": None}], {}
        )
        own.change_schema(AddField(kind="add_field", object="Lead", field="Industry", value="Steel"))
        own.put_records("Lead", [{"Id": "00Q5g0000000030AAA", "Industry": "Media"}], {})
        toys = self.values(own, "Toy__c", "Type")
        own.put_records("Toy__c", [{"Id": "a01000000000001AAA", "Type": "Kite"}], {})

        assert (toys, self.values(own, "Toy__c", "Type")) == (["Ball"], ["Kite"])
        assert self.values(own, "Lead", "Industry") == ["Media", "Steel"]
        assert self.values(own) == ["New", "Working"]

    def test_files_are_looked_through_once_for_each_clock(
        self, own: ChangeableCompany, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []
        look_up = own._find_values
        monkeypatch.setattr(own, "_find_values", lambda table, column: asked.append(table) or look_up(table, column))
        for number in (1, 2, 3):
            own.put_records("Lead", [{"Id": "00Q5g0000000030AAA", "Status": f"Status {number}"}], {})
            assert self.values(own) == ["New", f"Status {number}", "Working"]

        assert [table.partition("_")[0] for table in asked] == ["state", "changed", "changed", "changed"]

        set_clock(own.simulation_dir, datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC))
        assert self.values(own) == ["Status 3", "Working"]
