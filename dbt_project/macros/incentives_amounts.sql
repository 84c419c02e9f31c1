{#- Exact arithmetic of credits and pay. Amounts have three decimals, bounds and slices six, rates DECIMAL(9,6): products stay within 38 digits. -#}

{#-
    Type of credited amounts and their sums: 16 digits before the point, as in plan files, and the decimals of any
    payout currency.
-#}
{% macro incentives_amount_type() -%}
    decimal(19, 3)
{%- endmacro %}


{#- Type of pay before rounding: a sum of amounts times rates. -#}
{% macro incentives_unrounded_type() -%}
    decimal(38, 12)
{%- endmacro %}


{#-
    The part of a running amount that lies between two bounds; a NULL upper bound means no end (both engines' LEAST
    ignores it). Mirrored below zero, so that a reversal takes back what was paid.
-#}
{% macro incentives_amount_within(amount, lower_bound, upper_bound) -%}
    case
        when {{ amount }} < 0 then {{ lower_bound }} - least(greatest(-{{ amount }}, {{ lower_bound }}), {{ upper_bound }})
        else least(greatest({{ amount }}, {{ lower_bound }}), {{ upper_bound }}) - {{ lower_bound }}
    end
{%- endmacro %}


{#-
    The only rounding of a commission: half away from zero, to whole minor units. ROUND on decimals does so on both
    engines.
-#}
{% macro incentives_to_minor_units(amount, exponent) -%}
    case {{ exponent }}
        when 0 then cast(round({{ amount }}, 0) as bigint)
        when 3 then cast(round({{ amount }}, 3) * 1000 as bigint)
        else cast(round({{ amount }}, 2) * 100 as bigint)
    end
{%- endmacro %}


{% macro incentives_from_minor_units(minor_units, exponent) -%}
    cast(
        cast({{ minor_units }} as decimal(19, 0)) * case {{ exponent }}
            when 0 then cast(1 as decimal(4, 3))
            when 3 then cast(0.001 as decimal(4, 3))
            else cast(0.01 as decimal(4, 3))
        end as decimal(28, 3)
    )
{%- endmacro %}


{#- Credits are split to hundredths; those in a three-decimal currency, to thousandths. -#}
{% macro incentives_split_exponent(currency) -%}
    greatest({{ incentives_currency_exponent(currency) }}, 2)
{%- endmacro %}


{#- Microseconds since 1970: an instant as a number. -#}
{% macro incentives_instant_number(instant) -%}
    {{ adapter.dispatch('incentives_instant_number', 'salesops')(instant) }}
{%- endmacro %}

{% macro duckdb__incentives_instant_number(instant) -%}
    epoch_us({{ instant }})
{%- endmacro %}

{% macro spark__incentives_instant_number(instant) -%}
    unix_micros({{ instant }})
{%- endmacro %}
