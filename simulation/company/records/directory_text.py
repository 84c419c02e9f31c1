"""Names, addresses and numbers of everybody in a region's directory, ordered by directory code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.company.business_time import Ints
from simulation.company.mail import MAILER_DAEMON, NEWSLETTERS
from simulation.company.records.columns import joined, text_of, words
from simulation.company.region import Region
from simulation.company.vocabulary import COMPANY_FIRST, COMPANY_SECOND, EMAIL_DOMAIN, FIRST_NAMES, LAST_NAMES

_AREA_CODES = [
    "212",
    "213",
    "303",
    "305",
    "312",
    "404",
    "415",
    "503",
    "512",
    "602",
    "612",
    "615",
    "617",
    "702",
    "713",
    "717",
    "804",
    "813",
    "916",
    "973",
]
_CUSTOMERS_PER_REGION = 200_000


@dataclass
class DirectoryText:
    """Texts by directory code.

    Attributes:
        phone: E.164 number.
        written_phone: The same number as entered in the CRM.
        company: Company name by lead.
    """

    first_name: pa.Array
    last_name: pa.Array
    email: pa.Array
    phone: pa.Array
    written_phone: pa.Array
    company: pa.Array


def write_directory(region: Region) -> DirectoryText:
    """Invent the texts of a region's people, leads and leads' colleagues."""
    rng = region.chance.stream("directory")
    persons, leads = region.people.persons, region.leads
    count = len(leads)
    first = rng.integers(0, len(FIRST_NAMES), 2 * count)
    last = rng.integers(0, len(LAST_NAMES), 2 * count)
    company_first, company_second = (
        rng.integers(0, len(COMPANY_FIRST), count)[leads.identity],
        rng.integers(0, len(COMPANY_SECOND), count)[leads.identity],
    )
    first[:count], last[:count] = first[leads.identity], last[leads.identity]
    company = joined(words(COMPANY_FIRST, company_first), " ", words(COMPANY_SECOND, company_second))
    serial = region.number * _CUSTOMERS_PER_REGION + leads.identity
    domain = joined(
        pc.utf8_lower(words(COMPANY_FIRST, company_first)),
        "-",
        pc.utf8_lower(words(COMPANY_SECOND, company_second)),
        text_of(serial),
        ".example",
    )
    domain = pa.concat_arrays([domain, domain])
    customer_email = joined(
        pc.utf8_lower(words(FIRST_NAMES, first)), ".", pc.utf8_lower(words(LAST_NAMES, last)), "@", domain
    )

    names = [(person.first_name, person.last_name) for person in persons]
    numbers = region.first_person + np.arange(len(persons))
    staff_email = pa.array(
        [
            f"{given}.{family}{number if number > 60 else ''}@{EMAIL_DOMAIN}".lower()
            for (given, family), number in zip(names, numbers, strict=True)
        ]
    )
    country = np.concatenate([leads.country, leads.country])
    customer_phone = _phone_numbers(np.concatenate([serial * 2, serial * 2 + 1]), country)
    staff_phone = joined("+1646", text_of(2_000_000 + numbers))
    phone = pa.concat_arrays([staff_phone, customer_phone])
    style = np.concatenate([np.ones(len(persons), dtype=np.int64), rng.integers(0, 4, 2 * count)])
    return DirectoryText(
        pa.concat_arrays([pa.array([name[0] for name in names]), words(FIRST_NAMES, first)]),
        pa.concat_arrays([pa.array([name[1] for name in names]), words(LAST_NAMES, last)]),
        pa.concat_arrays([staff_email, customer_email, pa.array([*NEWSLETTERS, MAILER_DAEMON])]),
        phone, format_phones(phone, style), company,
    )  # fmt: skip


def _phone_numbers(serial: Ints, country: Ints) -> pa.Array:
    local = text_of(2_000_000 + (serial // len(_AREA_CODES) * 3571 + 17) % 7_999_993, 7)
    american = joined("+1", words(_AREA_CODES, serial % len(_AREA_CODES)), local)
    abroad = joined(
        words(["", "", "+4420", "+4930", "+331", "+3531"], country), text_of(30_000_000 + (serial * 7919) % 60_000_011)
    )
    return pc.if_else(pa.array(country < 2), american, abroad)


def format_phones(phone: pa.Array, style: Ints) -> pa.Array:
    """Write E.164 numbers as people do: as is, (212) 555-0143, 212-555-0143, +1 212 555 0143 (abroad: with spaces)."""
    is_american = pc.starts_with(phone, "+1")
    area, exchange, line = (pc.utf8_slice_codeunits(phone, start, stop) for start, stop in ((2, 5), (5, 8), (8, 12)))
    ways = [
        phone,
        joined("(", area, ") ", exchange, "-", line),
        joined(area, "-", exchange, "-", line),
        joined("+1 ", area, " ", exchange, " ", line),
    ]
    code, rest, end = (
        pc.utf8_slice_codeunits(phone, 0, 3),
        pc.utf8_slice_codeunits(phone, 3, 8),
        pc.utf8_slice_codeunits(phone, 8),
    )
    foreign = [
        phone,
        joined(code, " ", rest, " ", end),
        joined(code, "-", rest, "-", end),
        joined(code, " (0) ", rest, " ", end),
    ]
    return pc.choose(
        pa.array(style), *[pc.if_else(is_american, way, other) for way, other in zip(ways, foreign, strict=True)]
    )
