"""Meetings and calls: what the source's flags say, and whose a number was."""

from __future__ import annotations

from tests.e2e.small_orgs.asking import Case, Check, rep_month
from tests.support.small_org import SmallOrg


def a_series_is_its_occurrences(org: SmallOrg) -> list[Check]:
    rep = org.user("Rita Series")
    client = org.contact(rep)
    master = org.meeting(rep, "2026-03-03", 30, WhoId=client, IsRecurrence=True)
    for day in ("03", "10", "17", "24"):
        org.meeting(rep, f"2026-03-{day}", 30, WhoId=client, RecurrenceActivityId=master)
    org.meeting(
        rep,
        "2026-04-07",
        WhoId=client,
        IsRecurrence2=True,
        GroupEventType="3",
        Recurrence2PatternText="RRULE:FREQ=WEEKLY",
    )
    for day in ("07", "14", "21"):
        org.meeting(rep, f"2026-04-{day}", WhoId=client, IsRecurrence2=False)
    return [
        (rep_month("meetings_held", rep, "2026-03"), 4),
        (rep_month("meeting_minutes", rep, "2026-03"), 120),
        (rep_month("meetings_held", rep, "2026-04"), 3),
        (rep_month("meeting_minutes", rep, "2026-04"), 180),
    ]


def a_meeting_of_two_colleagues_is_one(org: SmallOrg) -> list[Check]:
    host, guest, absent = org.user("Hanna Host"), org.user("Gil Guest"), org.user("Dan Declined")
    client = org.contact(host)
    held = org.meeting(host, "2026-06-12", WhoId=client, IsGroupEvent=True, GroupEventType="1")
    org.meeting(guest, "2026-06-12", WhoId=client, IsGroupEvent=True, IsChild=True)
    for person, answer in ((client, "Accepted"), (guest, "Accepted"), (absent, "Declined")):
        given = {"EventId": held, "RelationId": person, "IsWhat": False, "Status": answer, "IsDeleted": False}
        org.add("EventRelation", "2026-06-02T15:00:00.000Z", **given)
    return [
        (rep_month("meetings_held", host, "2026-06"), 1),
        (rep_month("meetings_held", guest, "2026-06"), 0),
        (rep_month("meetings_attended", host, "2026-06"), 1),
        (rep_month("meetings_attended", guest, "2026-06"), 1),
        (rep_month("meetings_attended", absent, "2026-06"), 0),
    ]


def an_invited_contact_is_an_attendee(org: SmallOrg) -> list[Check]:
    rep, colleague = org.user("Ines Invite"), org.user("Otto Inside")
    client = org.contact(rep)
    for day, person in (("12", client), ("13", colleague)):
        meeting = org.meeting(rep, f"2026-05-{day}", IsGroupEvent=True)
        org.add(
            "EventRelation",
            "2026-05-02T15:00:00.000Z",
            EventId=meeting,
            RelationId=person,
            IsWhat=False,
            IsDeleted=False,
        )
    return [(rep_month("meetings_held", rep, "2026-05"), 1)]


def a_logged_call_is_a_call_and_one_known_twice_counts_once(org: SmallOrg) -> list[Check]:
    rep = org.user("Lily Logger", Phone="+1 212 555 0177")
    client = org.add(
        "Contact", "2025-11-03T15:00:00.000Z", OwnerId=rep, CreatedById=rep, Phone="+49 (0) 30 1234567", IsDeleted=False
    )

    def log(at: str, kind: str | None, **fields: object) -> None:
        given = {
            "Subject": "Call",
            "Status": "Done",
            "IsClosed": True,
            "OwnerId": rep,
            "CreatedById": rep,
            "WhoId": client,
        }
        calling = {"TaskSubtype": "Call", "CallType": kind, "CallDurationInSeconds": 300, "CompletedDateTime": at}
        org.add("Task", at, IsDeleted=False, **{**given, **calling, **fields})

    for day, kind in (("11", "Outbound"), ("12", "Outbound"), ("13", "Inbound")):
        log(f"2026-05-{day}T15:00:00.000Z", kind)
    log("2026-05-14T15:00:00.000Z", "Outbound", IsClosed=False)
    # Telephony knows this one, too: 200 seconds, logged four minutes later as 300.
    org.call("+12125550177", "+49301234567", "2026-07-14", 200)
    log("2026-07-14T15:04:00.000Z", None)
    return [
        (rep_month("calls_placed", rep, "2026-05"), 2),
        (rep_month("phone_seconds", rep, "2026-05"), 900),
        (rep_month("calls_placed", rep, "2026-07"), 1),
        (rep_month("phone_seconds", rep, "2026-07"), 200),
        (
            f"select distinct contact_id from marts.fct_activities where rep_id = '{rep}' and source = 'telephony'",
            client,
        ),
    ]


def a_number_belongs_to_the_person_who_has_it_now(org: SmallOrg) -> list[Check]:
    leaver = org.user("Leo Left", Phone="+1 212 555 0111", IsActive=False)
    heir = org.user("Nora Next", "2026-06-01T12:00:00.000Z", Phone="+1 212 555 0111")
    first, second = (org.user(name, Phone="(212) 555-0199") for name in ("Dan Desk", "Eva Desk"))
    org.call("+12125550111", "+16465550101", "2026-05-11")
    org.call("+12125550111", "+16465550101", "2026-08-11")
    org.call("+12125550199", "+16465550101", "2026-08-12")
    return [
        (rep_month("calls_placed", leaver, "2026-05"), 1),
        (rep_month("calls_placed", heir, "2026-08"), 1),
        (rep_month("calls_placed", leaver, "2026-08"), 0),
        (rep_month("calls_placed", first, "2026-08"), 0),
        (rep_month("calls_placed", second, "2026-08"), 0),
    ]


def a_machine_is_nobody(org: SmallOrg) -> list[Check]:
    rep = org.user("Max Machine", Phone="+1 212 555 0144")
    for day, taken_by in (("11", "human"), ("12", "machine_end_beep"), ("13", None)):
        org.call("+12125550144", "+16465550301", f"2026-08-{day}", answered_by=taken_by)
    return [(rep_month("calls_placed", rep, "2026-08"), 3), (rep_month("calls_connected", rep, "2026-08"), 2)]


CASES: tuple[Case, ...] = (
    a_series_is_its_occurrences,
    a_meeting_of_two_colleagues_is_one,
    an_invited_contact_is_an_attendee,
    a_logged_call_is_a_call_and_one_known_twice_counts_once,
    a_number_belongs_to_the_person_who_has_it_now,
    a_machine_is_nobody,
)
