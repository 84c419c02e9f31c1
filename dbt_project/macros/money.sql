{#- Money is exact: integers internally, rounded once, half away from zero. -#}

{#-
    Amount in another currency, to the cent. Both rates are in units per common base, DECIMAL(18,10); to_rate is 1 if
    the target is that base. NULL if a rate is missing: never a guess. Exact for amounts below 10^17 ÷ to_rate: cents
    and rates are integers, and twice their product stays under 2^127.
-#}
{% macro convert_amount(amount, from_rate, to_rate="1") -%}
    {{ adapter.dispatch('convert_amount', 'salesops')(amount, from_rate, to_rate) }}
{%- endmacro %}

{% macro duckdb__convert_amount(amount, from_rate, to_rate) -%}
    {%- set cents = "cast(cast(" ~ amount ~ " as decimal(28, 2)) * 100 as hugeint)" -%}
    {%- set numerator = "(" ~ cents ~ " * cast(cast(" ~ to_rate ~ " as decimal(18, 10)) * 10000000000 as hugeint))" -%}
    {%- set denominator = "cast(cast(" ~ from_rate ~ " as decimal(18, 10)) * 10000000000 as hugeint)" -%}
    cast(
        cast(
            sign({{ numerator }}) * ((2 * abs({{ numerator }}) + {{ denominator }}) // (2 * {{ denominator }})) as decimal(26, 0)
        ) * cast(0.01 as decimal(2, 2)) as decimal(28, 2)
    )
{%- endmacro %}

{% macro spark__convert_amount(amount, from_rate, to_rate) -%}
    {%- set cents = "cast(cast(" ~ amount ~ " as decimal(28, 2)) * 100 as decimal(28, 0))" -%}
    {%- set numerator = "(" ~ cents ~ " * cast(cast(" ~ to_rate ~ " as decimal(18, 10)) * 10000000000 as decimal(18, 0)))" -%}
    {%- set denominator = "cast(cast(" ~ from_rate ~ " as decimal(18, 10)) * 10000000000 as decimal(18, 0))" -%}
    cast(
        cast(
            case when {{ numerator }} < 0 then -1 else 1 end * ((2 * abs({{ numerator }}) + {{ denominator }}) div (2 * {{ denominator }})) as decimal(26, 0)
        ) * cast(0.01 as decimal(2, 2)) as decimal(28, 2)
    )
{%- endmacro %}


{#-
    An amount in the reporting currency, by the rates that `join_rate` brings. One that is in the reporting currency already needs none: it keeps its
    value on days without a rate (a close date in the year 2206, or none). The model has int_run_context as `context`.
-#}
{% macro in_reporting_currency(amount, currency, rates="rates") -%}
    case
        when {{ currency }} = context.reporting_currency then cast({{ amount }} as decimal(28, 2))
        else {{ convert_amount(amount, rates ~ ".rate", rates ~ ".reporting_rate") }}
    end
{%- endmacro %}


{#-
    A currency's rates on a day, as convert_amount takes them: `rate` of the currency and `reporting_rate`. No row if
    there is no rate.
-#}
{% macro join_rate(currency, date_day, alias="rates") -%}
    left join {{ ref('int_currency__daily_rates') }} as {{ alias }} on {{ currency }} = {{ alias }}.currency and {{ date_day }} = {{ alias }}.date_day
{%- endmacro %}


{#- A ratio: NULL if there is nothing above 0 to divide by, never 0 and never NaN. -#}
{% macro ratio(numerator, denominator) -%}
    case when {{ denominator }} > 0 then cast({{ numerator }} as double) / cast({{ denominator }} as double) end
{%- endmacro %}


{#- Integer quotient of non-negative whole numbers, exact. -#}
{% macro whole_quotient(numerator, denominator) -%}
    {{ adapter.dispatch('whole_quotient', 'salesops')(numerator, denominator) }}
{%- endmacro %}

{% macro duckdb__whole_quotient(numerator, denominator) -%}
    ({{ numerator }} // {{ denominator }})
{%- endmacro %}

{% macro spark__whole_quotient(numerator, denominator) -%}
    ({{ numerator }} div {{ denominator }})
{%- endmacro %}


{#- An integer wide enough for a weight times an amount in hundredths. -#}
{% macro wide_integer(expression) -%}
    {{ adapter.dispatch('wide_integer', 'salesops')(expression) }}
{%- endmacro %}

{% macro duckdb__wide_integer(expression) -%}
    cast({{ expression }} as hugeint)
{%- endmacro %}

{% macro spark__wide_integer(expression) -%}
    cast({{ expression }} as decimal(38, 0))
{%- endmacro %}
