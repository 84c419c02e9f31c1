"""Phone numbers in E.164.

What belongs here: the one rule by which a written number is read, whatever source it comes from. What does not: whose number it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import phonenumbers

from ingestion.errors import IngestionError

# Only what a person would dial: the library would also read the digits within a SIP address or an agent's name.
_DIALLED = re.compile(r"(?:tel:)?\+?[0-9 ().\-/\u00a0\u2010-\u2015]+")


def to_e164(text: str, region: str) -> str | None:
    """A number as `+<country code><number>`; None for an extension, a name, a withheld number, or anything else that cannot be dialled.

    A number counts when its length is one that its country has: number ranges change faster than any list of them.

    Args:
        text: The number as a provider or an export writes it.
        region: ISO 3166 country whose national form it is in, where it has no country code of its own.

    >>> to_e164("(212) 555-0199", "US"), to_e164("0171 2345678", "DE"), to_e164("00 44 20 7946 0018", "DE")
    ('+12125550199', '+491712345678', '+442079460018')
    >>> to_e164("1002", "US"), to_e164("Anonymous", "US"), to_e164("sip:12125550199@pbx.example", "US")
    (None, None, None)
    """
    plain = text.strip()
    if not _DIALLED.fullmatch(plain):
        return None
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def e164_reader(region: str) -> Callable[[str | None], str | None]:
    """`to_e164` for one region, which works each distinct number out once.

    Raises:
        IngestionError: There is no such region.
    """
    if not is_region(region):
        raise IngestionError(
            f"'{region}' is no country that phone numbers are known of.",
            where="SALESOPS_TELEPHONY_REGION",
            fix="Give a two-letter ISO 3166 code, such as US or DE.",
        )
    read = lru_cache(maxsize=1 << 17)(lambda text: to_e164(text, region))
    return lambda text: read(text) if text else None


def is_region(region: str) -> bool:
    """Whether phone numbers of this country are known."""
    return region in phonenumbers.SUPPORTED_REGIONS
