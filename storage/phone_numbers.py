"""Phone numbers in E.164: the one rule for reading a written number, whatever its source and wherever it is compared.

What belongs here: reading a number. What does not: whose number it is.
"""

from __future__ import annotations

import re

import phonenumbers

# Only what a person would dial: the library would also read digits within a SIP address or an agent's name.
_DIALLED = re.compile(r"(?:tel:)?\+?[0-9 ().\-/\u00a0\u2010-\u2015]+")


def to_e164(text: str, region: str) -> str | None:
    """A number as `+<country code><number>`; None for an extension, a name, a withheld number or undiallable text.

    A number counts if its length is possible in its country: number ranges change faster than any list of them.

    Args:
        text: The number as a provider or an export writes it.
        region: ISO 3166 country of a number without a country code.

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


def is_region(region: str) -> bool:
    """Whether phone numbers of this country are known."""
    return region in phonenumbers.SUPPORTED_REGIONS
