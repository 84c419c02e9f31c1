"""A small organisation, record by record: what a Salesforce org, a call log and feeds would say, landed as text without servers."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from ingestion.settings.load import load_settings_into_lake
from ingestion.settings.models import SettingsOverrides
from storage.home import Home
from storage.lake import Lake, LoadRecord, stamp_rows
from tests.dbt_sample import ROOT, record_run

AS_OF = datetime(2026, 11, 30, 17, tzinfo=UTC)
PROBABILITY = {
    "Prospecting": 10,
    "Discovery": 35,
    "Proposal": 50,
    "Negotiation": 75,
    "Closed Won": 100,
    "Closed Lost": 0,
}
_TABLES = {
    "RecordType": "salesforce__record_type",
    "UserRole": "salesforce__user_role",
    "User": "salesforce__user",
    "Account": "salesforce__account",
    "Contact": "salesforce__contact",
    "Lead": "salesforce__lead",
    "LeadHistory": "salesforce__lead_history",
    "Opportunity": "salesforce__opportunity",
    "OpportunityHistory": "salesforce__opportunity_history",
    "OpportunityFieldHistory": "salesforce__opportunity_field_history",
    "OpportunitySplit": "salesforce__opportunity_split",
    "OpportunitySplitType": "salesforce__opportunity_split_type",
    "Campaign": "salesforce__campaign",
    "Task": "salesforce__task",
    "Event": "salesforce__event",
    "EventRelation": "salesforce__event_relation",
    "Territory2": "salesforce__territory2",
    "Territory2Model": "salesforce__territory2_model",
    "UserTerritory2Association": "salesforce__user_territory2_association",
    "call": "telephony__call",
    "personnel": "feed__personnel",
    "quotas": "feed__quotas",
}


class SmallOrg:
    """Records of one organisation; each method returns the id of what it adds. Times are UTC, as ISO texts."""

    def __init__(self) -> None:
        self.records: dict[str, list[dict[str, str | None]]] = defaultdict(list)

    def add(self, kind: str, at: str, **fields: object) -> str:
        """A record that was created, and last changed, at an instant."""
        key = f"{list(_TABLES).index(kind):03}000{len(self.records[kind]) + 1:09}AAA"
        stamps = {"CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at}
        self.row(kind, **{"Id": key, **stamps, **fields})
        return str(fields.get("Id", key))

    def row(self, kind: str, **fields: object) -> None:
        """A row as it stands: of a feed, of a call log, or another version of a record."""
        self.records[kind].append({name: _text(value) for name, value in fields.items()})

    def user(self, name: str, at: str = "2019-01-01T12:00:00.000Z", **fields: object) -> str:
        """A standard user in use."""
        mail = f"{name.lower().replace(' ', '.')}@northlight.example"
        return self.add("User", at, **{"Name": name, "Email": mail, "IsActive": True, "UserType": "Standard", **fields})

    def contact(self, owner: str, **fields: object) -> str:
        """A client on file since November 2025."""
        given = {"OwnerId": owner, "CreatedById": owner, "IsDeleted": False}
        return self.add("Contact", "2025-11-03T15:00:00.000Z", **{**given, **fields})

    def deal(
        self, owner: str, amount: str, close: str, *steps: tuple[str, ...], created: str | None = None, **fields: object
    ) -> str:
        """A deal with its history. A step is an instant and a stage, and perhaps the amount and close date of then."""
        final = steps[-1][1]
        key = self.add(
            "Opportunity",
            steps[-1][0],
            **{
                "CreatedDate": created or steps[0][0],
                "StageName": final,
                "Amount": amount,
                "CloseDate": close,
                "Probability": PROBABILITY[final],
                "OwnerId": owner,
                "CreatedById": owner,
                "IsDeleted": False,
                **fields,
            },
        )
        for at, stage, *more in steps:
            held, due = (more + [amount, close][len(more) :])[:2]
            self.add(
                "OpportunityHistory",
                at,
                OpportunityId=key,
                StageName=stage,
                Amount=held,
                CloseDate=due,
                Probability=PROBABILITY[stage],
                IsDeleted=False,
            )
        return key

    def meeting(self, owner: str, day: str, minutes: int = 60, **fields: object) -> str:
        """A meeting at 15:00 UTC."""
        start, end = f"{day}T15:00:00.000Z", f"{day}T{15 + minutes // 60}:{minutes % 60:02}:00.000Z"
        given = {"StartDateTime": start, "EndDateTime": end, "DurationInMinutes": minutes, "OwnerId": owner}
        return self.add(
            "Event", "2025-12-01T15:00:00.000Z", **given, **{"CreatedById": owner, "IsDeleted": False, **fields}
        )

    def call(self, caller: str, called: str, day: str, seconds: int = 120, **fields: object) -> None:
        """A call out at 15:00 UTC, in Twilio's words."""
        start = datetime.fromisoformat(f"{day}T15:00:00").strftime("%a, %d %b %Y %H:%M:%S +0000")
        end = datetime.fromisoformat(f"{day}T15:{seconds // 60:02}:{seconds % 60:02}").strftime(
            "%a, %d %b %Y %H:%M:%S +0000"
        )
        key = f"CA{len(self.records['call']):032x}"
        given = {"sid": key, "from": caller, "to": called, "direction": "outbound-api", "status": "completed"}
        times = {"start_time": start, "end_time": end, "date_created": start, "date_updated": end, "duration": seconds}
        self.row("call", **{**given, **times, **fields})

    def employed(
        self, number: str, name: str, team: str, since: str, hired: str, left: str = "", **fields: object
    ) -> None:
        """A row of the personnel feed."""
        mail = f"{name.lower().replace(' ', '.')}@northlight.example"
        given = {"employee_id": number, "email": mail, "full_name": name, "effective_date": since, "team": team}
        self.row(
            "personnel", **{**given, "role": "outside_rep", "hire_date": hired, "leave_date": left or None, **fields}
        )

    def land(self, home: Home) -> None:
        """Fill the home's lake, as of `AS_OF`."""
        home.prepare()
        lake = Lake(home.lake)
        overrides = SettingsOverrides.model_validate(
            {
                "org": {"email_domains": ["northlight.example"]},
                "roles": [{"name": "Client Partner", "role": "outside_rep"}],
                "fields": [
                    {"object": "Opportunity", "field": "Region__c", "name": "region"},
                    {"object": "Opportunity", "field": "Seats__c", "name": "seats", "type": "integer"},
                ],
            }
        )
        load_settings_into_lake(lake, Path(ROOT) / "config", known_at=AS_OF, run_id="test", mapping=overrides)
        for kind, rows in self.records.items():
            table, columns = _TABLES[kind], list(dict.fromkeys(name for row in rows for name in row))
            schema = pa.schema([(name, pa.string()) for name in columns])
            content = pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows], schema=schema)
            load_id = f"{table}:000001:test"
            record = LoadRecord(load_id, AS_OF.isoformat(), len(rows), len(rows))
            lake.commit(table, stamp_rows(content, load_id=load_id, known_from=AS_OF), record)
        record_run(home, AS_OF)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
