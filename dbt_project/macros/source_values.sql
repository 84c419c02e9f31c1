{#- Parsing text values of sources. Each macro gives NULL for NULL. -#}

{#- 0–100, as CRMs store it, to a rate of 0–1; NULL for what the contract's `percent_text` warns of. The only place that divides percentages. -#}
{% macro percent_to_rate(column) -%}
    cast(try_cast({{ column }} as decimal(9, 4)) * cast(0.01 as decimal(3, 2)) as decimal(9, 6))
{%- endmacro %}


{#- 'Mon, 05 Jan 2026 10:00:00 +0000' to a UTC timestamp. -#}
{% macro rfc2822_instant(column) -%}
    {{ adapter.dispatch('rfc2822_instant', 'salesops')(column) }}
{%- endmacro %}

{% macro duckdb__rfc2822_instant(column) -%}
    timezone('UTC', strptime({{ column }}, '%a, %d %b %Y %H:%M:%S %z'))
{%- endmacro %}

{% macro spark__rfc2822_instant(column) -%}
    {#- Spark cannot read the name of the weekday. -#}
    to_timestamp(regexp_replace({{ column }}, '^[A-Za-z]+, *', ''), 'd MMM yyyy HH:mm:ss Z')
{%- endmacro %}


{#- '["a@x.com", "b@y.com"]' to a list of text. -#}
{% macro json_text_list(column) -%}
    {{ adapter.dispatch('json_text_list', 'salesops')(column) }}
{%- endmacro %}

{% macro duckdb__json_text_list(column) -%}
    from_json({{ column }}, '["varchar"]')
{%- endmacro %}

{% macro spark__json_text_list(column) -%}
    from_json({{ column }}, 'array<string>')
{%- endmacro %}


{#-
    A point in time in an export to a UTC timestamp. With a zone ('…Z', '…+02:00') it is that instant; without one it is
    the business's local time, and a bare date is its midnight.
-#}
{% macro export_instant(column, time_zone) -%}
    {{ adapter.dispatch('export_instant', 'salesops')(column, time_zone) }}
{%- endmacro %}

{% macro duckdb__export_instant(column, time_zone) -%}
    case
        when regexp_matches({{ column }}, '(Z|[+-]\d{2}:?\d{2})$') and length({{ column }}) > 10
            then timezone('UTC', cast({{ column }} as timestamptz))
        else timezone('UTC', timezone({{ time_zone }}, cast({{ column }} as timestamp)))
    end
{%- endmacro %}

{% macro spark__export_instant(column, time_zone) -%}
    case
        when {{ column }} rlike '(Z|[+-][0-9]{2}:?[0-9]{2})$' and length({{ column }}) > 10 then cast({{ column }} as timestamp)
        else to_utc_timestamp(cast({{ column }} as timestamp), {{ time_zone }})
    end
{%- endmacro %}


{#-
    A phone number as digits with country code; ten bare digits are read as North American. The trunk zero that people
    write in brackets after a country code is not dialled, and 00 stands for the plus.
-#}
{% macro phone_digits(column) -%}
    {%- set without_trunk = every_match_replaced(column, "[(] *0 *[)]", "") -%}
    {%- set is_international = "(trim(" ~ column ~ ") like '+%' or trim(" ~ column ~ ") like '00%')" -%}
    {%- set dialled = "case when " ~ is_international ~ " then " ~ without_trunk ~ " else " ~ column ~ " end" -%}
    {%- set digits = every_match_replaced(dialled, "[^0-9]", "") -%}
    case
        when length({{ digits }}) < 7 then null
        when trim({{ column }}) like '00%' then substr({{ digits }}, 3)
        when length({{ digits }}) = 10 and trim({{ column }}) not like '+%' then '1' || {{ digits }}
        else {{ digits }}
    end
{%- endmacro %}


{#- The part of a mail address after the @. -#}
{% macro email_domain(column) -%}
    split_part({{ column }}, '@', 2)
{%- endmacro %}
