"""CRM records User, Territory2, UserTerritory2Association; feeds of personnel, absences, quotas, invoices, payments."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulation.company.business_time import HOUR, day_number
from simulation.company.market import opening_hour
from simulation.company.people import STAYS
from simulation.company.records.columns import constant, dates, flags, joined, money, text_of, times, words
from simulation.company.records.company_records import audit
from simulation.company.records.directory_text import DirectoryText
from simulation.company.records.history import user_ids
from simulation.company.records.ids import salesforce_ids
from simulation.company.records.writer import RecordWriter
from simulation.company.region import Region
from simulation.company.vocabulary import CURRENCIES, ROLES


def employee_ids(region: Region, person: np.ndarray) -> pa.Array:
    """Employee number of each person; NULL for negative numbers."""
    person = np.asarray(person, dtype=np.int64)
    text = joined("E", text_of(np.maximum(person, 0) + region.first_person, 5))
    return pa.compute.if_else(pa.array(person >= 0), text, pa.scalar(None, pa.string()))


def write_people(region: Region, text: DirectoryText, writer: RecordWriter) -> None:
    """Write users with their manager changes, territories, and the personnel feed."""
    _write_users(region, text, writer)
    _write_territories(region, writer)
    _write_personnel(region, text, writer)


def _founded(region: Region) -> int:
    """When the CRM was set up; nothing in it is older."""
    return opening_hour(region.calendar, day_number(region.size.start) - 5)


def _write_users(region: Region, text: DirectoryText, writer: RecordWriter) -> None:
    rows = []
    founded = _founded(region)
    for person in region.people.persons:
        created = max(opening_hour(region.calendar, person.hired, 8.0), founded)
        manager = None
        for place in person.places:
            if place.is_leave:
                rows.append((person.index, created, opening_hour(region.calendar, place.day, 23.0), place.manager, 0))
            elif place.manager != manager:
                rows.append(
                    (
                        person.index,
                        created,
                        max(opening_hour(region.calendar, place.day, 8.0), founded),
                        place.manager,
                        1,
                    )
                )
            manager = place.manager
    table = np.array(rows, dtype=np.int64)
    index = pa.array(table[:, 0])
    persons = [region.people.persons[number] for number in table[:, 0]]
    writer.write(
        "salesforce/User",
        audit("User", list(region.first_person + table[:, 0]), list(table[:, 1]), list(table[:, 2]), with_deleted=False)
        | {
            "Username": text.email.take(index),
            "Email": text.email.take(index),
            "Name": pa.array([person.name for person in persons]),
            "FirstName": text.first_name.take(index),
            "LastName": text.last_name.take(index),
            "Phone": text.written_phone.take(index),
            "EmployeeNumber": employee_ids(region, table[:, 0]),
            "IsActive": flags(table[:, 4]),
            "ManagerId": salesforce_ids("User", np.where(table[:, 3] >= 0, region.first_person + table[:, 3], -1)),
            "UserRoleId": salesforce_ids("UserRole", np.array([person.role for person in persons])),
            "TimeZoneSidKey": constant("America/New_York", len(table)),
            "UserType": constant("Standard", len(table)),
            "DefaultCurrencyIsoCode": constant("USD", len(table)),
        },
    )


def _write_territories(region: Region, writer: RecordWriter) -> None:
    names = region.people.territory_names
    founded = [_founded(region)] * len(names)
    number = [region.number * 100 + territory for territory in range(len(names))]
    writer.write(
        "salesforce/Territory2",
        audit("Territory2", number, founded, founded, with_deleted=False)
        | {
            "Name": pa.array(names),
            "DeveloperName": pa.array([name.replace(" ", "_").replace("-", "_") for name in names]),
        },
    )
    rows = []
    serial = region.first_serial
    for person in region.people.persons:
        held = None
        for place in person.places:
            at = max(opening_hour(region.calendar, place.day, 23.5 if place.is_leave else 8.5), founded[0])
            if held is not None and (place.is_leave or place.territory != held[1]):
                rows.append((held[0], person.index, held[1], at, 0))
            if not place.is_leave and (held is None or place.territory != held[1]):
                held = (serial, place.territory)
                rows.append((serial, person.index, place.territory, at, 1))
                serial += 1
    table = np.array(rows, dtype=np.int64)
    writer.write(
        "salesforce/UserTerritory2Association",
        {
            "Id": salesforce_ids("UserTerritory2Association", table[:, 0]),
            "UserId": user_ids(region, table[:, 1]),
            "Territory2Id": salesforce_ids("Territory2", region.number * 100 + table[:, 2]),
            "IsActive": flags(table[:, 4]),
            "RoleInTerritory2": constant("Owner", len(table)),
            "LastModifiedDate": times(table[:, 3]),
            "LastModifiedById": salesforce_ids("User", np.zeros(len(table), dtype=np.int64)),
            "SystemModstamp": times(table[:, 3]),
            "_visible_from": times(table[:, 3]),
        },
    )


def _write_personnel(region: Region, text: DirectoryText, writer: RecordWriter) -> None:
    people = region.people
    rows = [(person, place) for person in people.persons for place in person.places]
    index = np.array([person.index for person, _ in rows])
    leave = np.array([place.day if place.is_leave else 0 for _, place in rows])
    writer.write(
        "feeds/personnel",
        {
            "employee_id": employee_ids(region, index),
            "email": text.email.take(pa.array(index)),
            "full_name": pa.array([person.name for person, _ in rows]),
            "effective_date": dates(np.array([place.day for _, place in rows])),
            "role": pa.array([ROLES[person.role] for person, _ in rows]),
            "team": pa.array([people.team_names[place.team] for _, place in rows]),
            "manager_employee_id": employee_ids(region, np.array([place.manager for _, place in rows])),
            "territory": pa.array([people.territory_names[place.territory] for _, place in rows]),
            "hire_date": dates(np.array([person.hired for person, _ in rows])),
            "leave_date": dates(leave, leave == 0),
            "fte": pa.array([0.8 if person.index % 11 == 10 else 1.0 for person, _ in rows]),
            "_visible_from": times(np.array([place.known_at for _, place in rows])),
        },
    )
    absences = [(person.index, *absence) for person in people.persons for absence in person.absences]
    first = np.array([absence[1] for absence in absences])
    known = region.calendar.at(
        first + np.array([1 if absence[3] == "sick" else -7 for absence in absences]), np.full(len(first), 4 * HOUR)
    )
    writer.write(
        "feeds/absences",
        {
            "employee_id": employee_ids(region, np.array([absence[0] for absence in absences])),
            "start_date": dates(first),
            "end_date": dates(np.array([absence[2] for absence in absences])),
            "kind": pa.array([absence[3] for absence in absences]),
            "_visible_from": times(known),
        },
    )
    assert all(person.left == STAYS or person.places[-1].is_leave for person in people.persons)


def write_finance_feeds(region: Region, writer: RecordWriter) -> None:
    """Write quotas, invoices and payments."""
    quotas, invoices, payments, base = region.quotas, region.invoices, region.payments, region.first_serial
    month_start = quotas.month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    writer.write(
        "feeds/quotas",
        {
            "employee_id": employee_ids(region, quotas.person),
            "period_start": dates(month_start),
            "quota_amount": money(quotas.amount),
            "currency": constant("USD", len(quotas.person)),
            "_visible_from": times(quotas.visible_from),
        },
    )
    invoice = np.arange(len(invoices.deal))
    currency = region.deals.currency[invoices.deal]
    writer.write(
        "feeds/invoices",
        {
            "invoice_id": joined("INV-", text_of(base + invoice, 8)),
            "opportunity_id": salesforce_ids("Opportunity", base + invoices.deal),
            "invoice_date": dates(invoices.day),
            "amount": money(invoices.amount),
            "currency": words(CURRENCIES, currency),
            "due_date": dates(invoices.due),
            "_visible_from": times(invoices.visible_from),
        },
    )
    writer.write(
        "feeds/payments",
        {
            "payment_id": joined("PAY-", text_of(base + np.arange(len(payments.invoice)), 8)),
            "invoice_id": joined("INV-", text_of(base + payments.invoice, 8)),
            "payment_date": dates(payments.day),
            "amount": money(payments.amount),
            "currency": words(CURRENCIES, currency[payments.invoice]),
            "_visible_from": times(payments.visible_from),
        },
    )
