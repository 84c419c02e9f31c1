"""The generator's own account of what happened, kept as the truth: plain integer events, made beside the records.

Nothing here goes through the record tables: record versions and events are derived from the same steps independently.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulation.company.business_time import Ints
from simulation.company.calls import MACHINE_SECONDS
from simulation.company.mail import AUTOMATIC
from simulation.company.meetings import AMONG_COLLEAGUES
from simulation.company.records.columns import dates, flags, times, words
from simulation.company.records.history import user_ids
from simulation.company.records.ids import salesforce_ids
from simulation.company.records.schema import TIME
from simulation.company.records.writer import RecordWriter
from simulation.company.region import Region
from simulation.company.steps import NEVER, carry_forward
from simulation.company.vocabulary import CURRENCIES, WON

_FAR = 1 << 33


def _schema(columns: str) -> pa.Schema:
    kinds = {"s": pa.string(), "b": pa.bool_(), "i": pa.int64(), "d": pa.date32(), "t": TIME, "f": pa.float64()}
    return pa.schema([(name, kinds[code]) for name, code in (column.split(":") for column in columns.split())])


EVENT_SCHEMAS = {
    name: _schema(columns)
    for name, columns in {
        "place": "rep:s day:d team:s territory:s known_at:t",
        "rate": "currency:s month:d millionths:i",
        "lead": "lead_id:s rep:s day:d visible_from:t gone_from:t quality:f likelihood:f is_duplicate:b",
        "deal": "opportunity_id:s lead_id:s win_probability:f",
        "deal_state": "deal:s happened_at:t visible_from:t is_won:b is_lost:b is_deleted:b cents:i currency:s close_day:d "
        "closer:s opener:s created_day:d",
        "call": "rep:s day:d visible_from:t is_placed:b is_answered:b seconds:i",
        "mail": "rep:s day:d visible_from:t",
        "meeting_state": "meeting:i rep:s happened_at:t visible_from:t day:d ends_at:t is_off:b",
        "invoice": "rep:s day:d visible_from:t cents:i currency:s",
        "payment": "rep:s day:d visible_from:t cents:i currency:s",
    }.items()
}


def write_events(region: Region, writer: RecordWriter) -> None:
    """Write the events of a region."""
    _write_frame(region, writer)
    _write_leads(region, writer)
    _write_deals(region, writer)
    _write_activities(region, writer)
    _write_money(region, writer)


def _write_frame(region: Region, writer: RecordWriter) -> None:
    rows = [(person.index, place) for person in region.people.persons for place in person.places]
    writer.write(
        "place",
        {
            "rep": user_ids(region, np.array([row[0] for row in rows])),
            "day": dates(np.array([row[1].day for row in rows])),
            "team": pa.array([region.people.team_names[row[1].team] for row in rows]),
            "territory": pa.array([region.people.territory_names[row[1].territory] for row in rows]),
            "known_at": times(np.array([row[1].known_at for row in rows])),
        },
    )
    if region.number:
        return
    months = region.market.rate_months
    currency, month = np.divmod(np.arange(len(CURRENCIES) * len(months)), len(months))
    starts = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    writer.write(
        "rate",
        {
            "currency": words(CURRENCIES, currency),
            "month": dates(starts[month]),
            "millionths": pa.array(region.market.rates[currency, month]),
        },
    )


def _write_leads(region: Region, writer: RecordWriter) -> None:
    leads, lives, steps = region.leads, region.lead_lives, region.lead_lives.steps
    count = len(leads)
    seen = np.full(count, _FAR)
    seen[steps.entity[steps.is_first]] = steps.visible_from[steps.is_first]
    gone = np.full(count, _FAR)
    leaves = steps.state["is_deleted"] == 1
    gone[steps.entity[leaves]] = steps.visible_from[leaves]
    writer.write(
        "lead",
        {
            "lead_id": salesforce_ids("Lead", region.first_serial + np.arange(count)),
            "rep": pa.compute.if_else(
                pa.array(leads.creator >= 0), user_ids(region, leads.creator), pa.scalar(None, pa.string())
            ),
            "day": dates(region.calendar.day(leads.created_at)),
            "visible_from": times(seen),
            "gone_from": times(gone),
            "quality": pa.array(leads.quality),
            "likelihood": pa.array(lives.likelihood),
            "is_duplicate": flags(leads.identity != np.arange(count)),
        },
    )


def _write_deals(region: Region, writer: RecordWriter) -> None:
    deals, steps, calendar = region.deals, region.deal_steps, region.calendar
    ids = salesforce_ids("Opportunity", region.first_serial + np.arange(len(deals)))
    lead_ids = salesforce_ids("Lead", np.where(deals.lead >= 0, region.first_serial + deals.lead, -1))
    writer.write("deal", {"opportunity_id": ids, "lead_id": lead_ids, "win_probability": pa.array(deals.likelihood)})
    stage, offer = steps.state["stage"], steps.state["offer"]
    row = np.arange(len(stage))
    closing = carry_forward(np.where(steps.is_first | (steps.changed["stage"] & (stage >= WON)), row, -1))
    writer.write(
        "deal_state",
        {
            "deal": ids.take(pa.array(steps.entity)),
            "happened_at": times(steps.at),
            "visible_from": times(steps.visible_from),
            "is_won": flags(stage == WON),
            "is_lost": flags(stage > WON),
            "is_deleted": flags(steps.state["is_deleted"]),
            "cents": pa.array(region.offers.amount[steps.entity, np.maximum(offer, 0)], mask=offer < 0),
            "currency": words(CURRENCIES, deals.currency[steps.entity]),
            "close_day": dates(calendar.day(steps.at[closing])),
            "closer": user_ids(region, steps.state["owner"][closing]),
            "opener": user_ids(region, deals.first_owner[steps.entity]),
            "created_day": dates(calendar.day(deals.created_at[steps.entity])),
        },
    )


def _write_activities(region: Region, writer: RecordWriter) -> None:
    calls, messages, meetings, calendar = region.calls, region.messages, region.meetings, region.calendar
    writer.write(
        "call",
        {
            "rep": user_ids(region, calls.person),
            "day": dates(calendar.day(calls.start)),
            "visible_from": times(calls.visible_from),
            "is_placed": flags(~calls.is_inbound),
            "is_answered": flags(calls.talk >= MACHINE_SECONDS),
            "seconds": pa.array(calls.seconds),
        },
    )
    persons = region.directory.persons
    outside = (messages.to >= persons) | (messages.copied >= persons)
    sent = np.flatnonzero((messages.sender < persons) & outside & (messages.kind != AUTOMATIC))
    writer.write(
        "mail",
        {
            "rep": user_ids(region, messages.sender[sent]),
            "day": dates(calendar.day(messages.sent_at[sent])),
            "visible_from": times(messages.visible_from[sent]),
        },
    )
    steps = meetings.steps
    rows = np.flatnonzero(meetings.kind[steps.entity] != AMONG_COLLEAGUES)
    start, entity = steps.state["start"][rows], steps.entity[rows]
    writer.write(
        "meeting_state",
        {
            "meeting": pa.array(region.first_serial + entity),
            "rep": user_ids(region, meetings.person[entity]),
            "happened_at": times(steps.at[rows]),
            "visible_from": times(steps.visible_from[rows]),
            "day": dates(calendar.day(start)),
            "ends_at": times(start + steps.state["minutes"][rows] * 60),
            "is_off": flags((steps.state["is_cancelled"] + steps.state["is_deleted"])[rows] > 0),
        },
    )


def _write_money(region: Region, writer: RecordWriter) -> None:
    invoices, payments = region.invoices, region.payments
    closer = region.deal_lives.owners.owner_at(
        np.arange(len(region.deals)), np.minimum(region.deal_lives.closed, NEVER - 1)
    )

    def rows(deal: Ints, day: Ints, cents: Ints, visible_from: Ints) -> dict[str, pa.Array]:
        return {
            "rep": user_ids(region, closer[deal]),
            "day": dates(day),
            "visible_from": times(visible_from),
            "cents": pa.array(cents),
            "currency": words(CURRENCIES, region.deals.currency[deal]),
        }

    writer.write("invoice", rows(invoices.deal, invoices.day, invoices.amount, invoices.visible_from))
    writer.write("payment", rows(invoices.deal[payments.invoice], payments.day, payments.amount, payments.visible_from))
