"""Smallest units of payout currencies (ISO 4217). The dbt macro `incentives_currency_exponent` holds the same list; a test compares them."""

from __future__ import annotations

NO_DECIMAL_CURRENCIES = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMAL_CURRENCIES = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def currency_exponent(currency: str) -> int:
    """Decimals of a payout currency: 0 or 2.

    >>> currency_exponent("USD"), currency_exponent("JPY")
    (2, 0)
    """
    return 0 if currency in NO_DECIMAL_CURRENCIES else 2
