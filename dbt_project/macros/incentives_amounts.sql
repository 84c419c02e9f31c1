{#- Exact arithmetic of credits and pay. Amounts DECIMAL(18,2), bounds and slices six decimals, rates DECIMAL(9,6): products stay within 38 digits. -#}

{#-
    The part of a running amount that lies between two bounds; a NULL upper bound is no end (both engines' LEAST skips it). Mirrored below
    zero, so that a reversal takes back what was paid.
-#}
{% macro incentives_amount_within(amount, lower_bound, upper_bound) -%}
    case
        when {{ amount }} < 0 then {{ lower_bound }} - least(greatest(-{{ amount }}, {{ lower_bound }}), {{ upper_bound }})
        else least(greatest({{ amount }}, {{ lower_bound }}), {{ upper_bound }}) - {{ lower_bound }}
    end
{%- endmacro %}


{#- Whole part of a quotient of non-negative whole numbers, exactly. -#}
{% macro incentives_whole_quotient(numerator, denominator) -%}
    {{ adapter.dispatch('incentives_whole_quotient', 'salesops')(numerator, denominator) }}
{%- endmacro %}

{% macro duckdb__incentives_whole_quotient(numerator, denominator) -%}
    ({{ numerator }} // {{ denominator }})
{%- endmacro %}


{#- A whole number wide enough for a weight times an amount in hundredths. -#}
{% macro incentives_wide_integer(expression) -%}
    {{ adapter.dispatch('incentives_wide_integer', 'salesops')(expression) }}
{%- endmacro %}

{% macro duckdb__incentives_wide_integer(expression) -%}
    cast({{ expression }} as hugeint)
{%- endmacro %}


{#- Decimals of a currency that is paid out (ISO 4217); incentives/currencies.py holds the same list. -#}
{% macro incentives_currency_exponent(currency) -%}
    case
        when {{ currency }} in (
            'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'
        ) then 0
        else 2
    end
{%- endmacro %}


{#- The one rounding of a commission: half away from zero, to whole minor units. ROUND on decimals does so on both engines. -#}
{% macro incentives_to_minor_units(amount, exponent) -%}
    case {{ exponent }}
        when 0 then cast(round({{ amount }}, 0) as bigint)
        else cast(round({{ amount }}, 2) * 100 as bigint)
    end
{%- endmacro %}


{% macro incentives_from_minor_units(minor_units, exponent) -%}
    case {{ exponent }}
        when 0 then cast({{ minor_units }} as decimal(28, 2))
        else cast(cast({{ minor_units }} as decimal(19, 0)) * cast(0.01 as decimal(2, 2)) as decimal(28, 2))
    end
{%- endmacro %}


{#- Microseconds since 1970: an instant as a number. -#}
{% macro incentives_instant_number(instant) -%}
    {{ adapter.dispatch('incentives_instant_number', 'salesops')(instant) }}
{%- endmacro %}

{% macro duckdb__incentives_instant_number(instant) -%}
    epoch_us({{ instant }})
{%- endmacro %}
