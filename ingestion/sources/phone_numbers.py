"""Read the phone numbers of one source.

What belongs here: one reader per region that parses each number once. What does not: the rule for numbers
(`storage.phone_numbers`), and whose number it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ingestion.errors import IngestionError
from storage.phone_numbers import is_region, to_e164

__all__ = ["e164_reader", "is_region", "to_e164"]


def e164_reader(region: str) -> Callable[[str | None], str | None]:
    """`to_e164` for one region, which parses each distinct number once.

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
