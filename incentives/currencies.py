"""Minor units of the payout currencies (ISO 4217). The single source: the SQL macro is generated from it."""

from __future__ import annotations

USUAL_EXPONENT = 2

# Decimals of every currency that does not have two.
EXPONENTS: dict[int, tuple[str, ...]] = {
    0: (
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ),
    3: ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"),
}

_MACRO = """\
{{#- Decimals of a currency that is paid out (ISO 4217). Written by `make generate` from incentives/currencies.py. -#}}
{{% macro incentives_currency_exponent(currency) -%}}
    case
{branches}
        else {usual}
    end
{{%- endmacro %}}
"""


def currency_exponent(currency: str) -> int:
    """Decimals of a currency.

    >>> currency_exponent("USD"), currency_exponent("JPY"), currency_exponent("KWD")
    (2, 0, 3)
    """
    return next((exponent for exponent, currencies in EXPONENTS.items() if currency in currencies), USUAL_EXPONENT)


def write_exponent_macro() -> str:
    """The text of `dbt_project/macros/incentives_currencies.sql`: the same exponents as a CASE."""
    branches = "\n".join(
        "        when {{ currency }} in (" + ", ".join(f"'{name}'" for name in currencies) + f") then {exponent}"
        for exponent, currencies in EXPONENTS.items()
    )
    return _MACRO.format(branches=branches, usual=USUAL_EXPONENT)
