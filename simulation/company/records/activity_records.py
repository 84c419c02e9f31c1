"""Event and Task, the call log, and the messages in the mailboxes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.company.business_time import Ints
from simulation.company.calls import MACHINE_SECONDS
from simulation.company.mail import AMONG_COLLEAGUES as COLLEAGUE_MAIL
from simulation.company.mail import ANSWER, AUTOMATIC, BOUNCE, NEWSLETTER, SUBJECTS
from simulation.company.meetings import MEETING_SUBJECTS, TASK_SUBJECTS, Meetings
from simulation.company.records.columns import constant, dates, flags, joined, lists, rates, text_of, times, words
from simulation.company.records.directory_text import DirectoryText, format_phones
from simulation.company.records.history import audit_columns, user_ids
from simulation.company.records.ids import hex_ids, salesforce_ids
from simulation.company.records.writer import RecordWriter
from simulation.company.region import Region
from simulation.company.touches import FOR_DEAL, FOR_LEAD
from simulation.company.vocabulary import ACCOUNT_SID, CALL_DIRECTIONS, CALL_STATUSES

_NO_ONE = "+266696687"


def _about(region: Region, meetings: Meetings) -> tuple[pa.Array, pa.Array]:
    """WhoId and WhatId of every version."""
    entity, base = meetings.steps.entity, region.first_serial
    kind, subject, counterpart = meetings.kind[entity], meetings.subject[entity], meetings.counterpart[entity]
    place = counterpart - region.directory.persons
    count = len(region.leads)
    contact = base + np.where(place >= count, 2 * (place - count) + 1, 2 * place)
    who = pc.if_else(
        pa.array(kind == FOR_LEAD),
        salesforce_ids("Lead", np.where(kind == FOR_LEAD, base + subject, -1)),
        salesforce_ids("Contact", np.where(kind == FOR_DEAL, contact, -1)),
    )
    return who, salesforce_ids("Opportunity", np.where(kind == FOR_DEAL, base + subject, -1))


def write_meetings_and_tasks(region: Region, writer: RecordWriter) -> None:
    """Write every version of every event and task."""
    steps = region.meetings.steps
    who, what = _about(region, region.meetings)
    start, minutes = steps.state["start"], steps.state["minutes"]
    owner = user_ids(region, region.meetings.person[steps.entity])
    columns = audit_columns("Event", region, steps, region.first_serial + steps.entity) | {
        "WhoId": who,
        "WhatId": what,
        "Subject": words(MEETING_SUBJECTS, region.meetings.topic[steps.entity]),
        "StartDateTime": times(start),
        "EndDateTime": times(start + minutes * 60),
        "DurationInMinutes": pa.array(minutes),
        "OwnerId": owner,
        "ShowAs": constant("Busy", len(start)),
        "Cancelled__c": flags(steps.state["is_cancelled"]),
    }
    writer.write("salesforce/Event", columns)

    steps = region.tasks.steps
    who, what = _about(region, region.tasks)
    done = steps.state["is_done"]
    done_at = np.where(steps.changed["is_done"], steps.at, 0)
    done_at = np.where(
        done == 1,
        np.maximum.accumulate(np.where(done_at > 0, steps.entity * (1 << 33) + done_at, 0)) - steps.entity * (1 << 33),
        0,
    )
    columns = audit_columns("Task", region, steps, region.first_serial + steps.entity) | {
        "WhoId": who,
        "WhatId": what,
        "Subject": words(TASK_SUBJECTS, region.tasks.topic[steps.entity]),
        "Status": words(["Not Started", "Completed"], done),
        "Priority": constant("Normal", len(done)),
        "ActivityDate": dates(region.tasks.due[steps.entity]),
        "TaskSubtype": constant("Task", len(done)),
        "OwnerId": user_ids(region, region.tasks.person[steps.entity]),
        "IsClosed": flags(done),
        "CompletedDateTime": times(done_at, done == 0),
    }
    writer.write("salesforce/Task", columns)


def write_calls(region: Region, text: DirectoryText, writer: RecordWriter) -> None:
    """Write the legs of every call."""
    calls, count = region.calls, len(region.calls)
    second = np.flatnonzero(calls.transfer_to >= 0)
    call = np.concatenate([np.arange(count), second])
    is_second = np.arange(len(call)) >= count
    book, customer = _numbers_with_strangers(region, text)
    caller = np.concatenate([np.where(calls.is_inbound, customer, calls.person), calls.person[second]])
    called = np.concatenate([np.where(calls.is_inbound, calls.person, customer), calls.transfer_to[second]])
    written = pc.if_else(pc.equal(book, _NO_ONE), "Anonymous", format_phones(book, np.ones(len(book), dtype=np.int64)))
    start = calls.start[call] + np.where(is_second, calls.transfer_after[call], 0)
    talk = np.where(is_second, calls.transfer_talk[call], calls.talk[call])
    ended = start + np.where(talk > 0, talk, calls.ring[call])
    number = region.first_serial + call
    price = -((talk + 59) // 60) * 14_000
    writer.write(
        "telephony/call",
        {
            "sid": hex_ids("CA", number * 2 + is_second, salt=1),
            "parent_call_sid": hex_ids("CA", np.where(is_second, number * 2, -1), salt=1),
            "account_sid": constant(ACCOUNT_SID, len(call)),
            "from": words(book, caller),
            "to": words(book, called),
            "from_formatted": words(written, caller),
            "to_formatted": words(written, called),
            "direction": words(CALL_DIRECTIONS, np.where(is_second, 1, np.where(calls.is_inbound[call], 2, 0))),
            "status": words(CALL_STATUSES, np.where(is_second, 0, calls.status[call])),
            "start_time": times(start),
            "end_time": times(ended),
            "date_created": times(start - 1),
            "date_updated": times(ended + 1),
            "duration": pa.array(talk),
            "answered_by": words(
                ["human", "machine_start"], np.where(talk > 0, (talk < MACHINE_SECONDS).astype(np.int64), -1)
            ),
            "price": rates(price),
            "price_unit": constant("USD", len(call)),
            "phone_number_sid": hex_ids(
                "PN", np.where(is_second, calls.transfer_to[call], calls.person[call]) + region.first_person, salt=2
            ),
            "_visible_from": times(calls.visible_from[call]),
        },
    )


def _numbers_with_strangers(region: Region, text: DirectoryText) -> tuple[pa.Array, Ints]:
    """The directory's numbers followed by strangers' numbers, and the position of each call's other side."""
    calls, rng = region.calls, region.chance.stream("call numbers")
    strangers = np.flatnonzero(calls.counterpart < 0)
    hidden = pa.array(calls.is_inbound[strangers] & (rng.random(len(strangers)) < 0.3))
    numbers = pc.if_else(hidden, _NO_ONE, joined("+1917", text_of(rng.integers(2_000_000, 9_999_999, len(strangers)))))
    position = calls.counterpart.copy()
    position[strangers] = len(text.phone) + np.arange(len(strangers))
    return pa.concat_arrays([text.phone, numbers]), position


def message_ids(region: Region, number: Ints) -> pa.Array:
    """Message-ID of each message; NULL for negative numbers."""
    digits = hex_ids("", np.where(number < 0, -1, region.first_serial + number), salt=3, width=24)
    return joined("<", digits, "@mail.example>")


def write_mail(region: Region, text: DirectoryText, writer: RecordWriter) -> None:
    """Write one row per message and mailbox that holds it."""
    messages, persons = region.messages, region.directory.persons
    number, copy_of = [], []
    for side in (messages.sender, messages.to, messages.copied):
        rows = np.flatnonzero((side >= 0) & (side < persons))
        number.append(rows)
        copy_of.append(side[rows])
    message, mailbox = np.concatenate(number), np.concatenate(copy_of)
    order = np.lexsort((mailbox, message))
    message, mailbox = message[order], mailbox[order]
    kind, answers = messages.kind[message], messages.answers[message]
    topic = joined(
        words(SUBJECTS, np.where(kind == ANSWER, messages.kind[np.maximum(answers, 0)], kind)),
        " (",
        text_of(messages.to[message] % 977),
        ")",
    )
    subject = pc.if_else(pa.array(kind == ANSWER), joined("Re: ", topic), topic)
    copied = messages.copied[message]
    has_copy = copied >= 0
    base = message_ids(region, answers)
    writer.write(
        "mail/message",
        {
            "mailbox": text.email.take(pa.array(mailbox)),
            "maildir_key": joined(
                text_of(messages.visible_from[message]),
                ".M",
                text_of(message),
                "P",
                text_of(region.first_person + mailbox),
                ".northlight",
            ),
            "message_id": message_ids(region, message),
            "in_reply_to": base,
            "references_ids": lists(base.filter(pa.array(answers >= 0)), (answers >= 0).astype(np.int64)),
            "from_address": text.email.take(pa.array(messages.sender[message])),
            "to_addresses": lists(
                text.email.take(pa.array(messages.to[message])), np.ones(len(message), dtype=np.int64)
            ),
            "cc_addresses": lists(text.email.take(pa.array(copied[has_copy])), has_copy.astype(np.int64)),
            "sent_at": times(messages.sent_at[message], ~messages.has_date[message]),
            "subject": subject,
            "is_auto_reply": flags(kind == AUTOMATIC),
            "is_bounce": flags(kind == BOUNCE),
            "is_newsletter": flags(kind == NEWSLETTER),
            "size_bytes": pa.array(900 + (message * 7919) % 9000 + np.where(kind == COLLEAGUE_MAIL, 500, 0)),
            "_visible_from": times(messages.visible_from[message]),
        },
    )
