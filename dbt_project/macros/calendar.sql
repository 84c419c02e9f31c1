{#-
    Time zones, days and fiscal periods. Timestamps are UTC without zone; a calendar day is a day in the business's time
    zone.
-#}

{#- UTC timestamp to local timestamp. -#}
{% macro local_time(instant, time_zone) -%}
    {{ adapter.dispatch('local_time', 'salesops')(instant, time_zone) }}
{%- endmacro %}

{% macro duckdb__local_time(instant, time_zone) -%}
    timezone({{ time_zone }}, timezone('UTC', {{ instant }}))
{%- endmacro %}

{% macro spark__local_time(instant, time_zone) -%}
    from_utc_timestamp({{ instant }}, {{ time_zone }})
{%- endmacro %}


{#- Local timestamp (or date, at its midnight) to UTC. -#}
{% macro utc_time(local_timestamp, time_zone) -%}
    {{ adapter.dispatch('utc_time', 'salesops')(local_timestamp, time_zone) }}
{%- endmacro %}

{% macro duckdb__utc_time(local_timestamp, time_zone) -%}
    timezone('UTC', timezone({{ time_zone }}, cast({{ local_timestamp }} as timestamp)))
{%- endmacro %}

{% macro spark__utc_time(local_timestamp, time_zone) -%}
    to_utc_timestamp(cast({{ local_timestamp }} as timestamp), {{ time_zone }})
{%- endmacro %}


{#- The business day of an instant. -#}
{% macro business_date(instant, time_zone) -%}
    cast({{ local_time(instant, time_zone) }} as date)
{%- endmacro %}


{#- Whole seconds from one instant to another; negative when the second is earlier. -#}
{% macro seconds_between(earlier, later) -%}
    {{ adapter.dispatch('seconds_between', 'salesops')(earlier, later) }}
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    date_diff('second', {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro spark__seconds_between(earlier, later) -%}
    (unix_seconds({{ later }}) - unix_seconds({{ earlier }}))
{%- endmacro %}


{#- Calendar days from one date to another. -#}
{% macro days_between(earlier, later) -%}
    {{ adapter.dispatch('days_between', 'salesops')(earlier, later) }}
{%- endmacro %}

{% macro duckdb__days_between(earlier, later) -%}
    date_diff('day', {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    datediff({{ later }}, {{ earlier }})
{%- endmacro %}


{#- Seconds to minutes with four decimals, which add up exactly. -#}
{% macro seconds_to_minutes(seconds) -%}
    cast(({{ seconds }}) / 60.0 as decimal(18, 4))
{%- endmacro %}


{% macro add_days(date_column, days) -%}
    {{ adapter.dispatch('add_days', 'salesops')(date_column, days) }}
{%- endmacro %}

{% macro duckdb__add_days(date_column, days) -%}
    cast({{ date_column }} + {{ days }} as date)
{%- endmacro %}

{% macro spark__add_days(date_column, days) -%}
    date_add(cast({{ date_column }} as date), cast({{ days }} as integer))
{%- endmacro %}


{% macro add_months(date_column, months) -%}
    {{ adapter.dispatch('add_months', 'salesops')(date_column, months) }}
{%- endmacro %}

{% macro duckdb__add_months(date_column, months) -%}
    cast({{ date_column }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro spark__add_months(date_column, months) -%}
    add_months({{ date_column }}, cast({{ months }} as integer))
{%- endmacro %}


{#- Whole months from one first of a month to another. -#}
{% macro months_between(earlier, later) -%}
    (extract(year from {{ later }}) - extract(year from {{ earlier }})) * 12 + extract(month from {{ later }}) - extract(month from {{ earlier }})
{%- endmacro %}


{#- Months since the fiscal year began, 0 to 11; the quarter and the year that a day lies in begin by it. -#}
{% macro fiscal_month_index(date_column, start_month) -%}
    (extract(month from {{ date_column }}) - {{ start_month }} + 12) % 12
{%- endmacro %}

{% macro fiscal_quarter_start(date_column, month_index) -%}
    {{ add_months("cast(date_trunc('month', " ~ date_column ~ ") as date)", "-(" ~ month_index ~ " % 3)") }}
{%- endmacro %}

{% macro fiscal_year_start(date_column, month_index) -%}
    {{ add_months("cast(date_trunc('month', " ~ date_column ~ ") as date)", "-" ~ month_index) }}
{%- endmacro %}


{#- Rows of one column `date_day` from the first to the last date, both taken from a one-row relation. -#}
{% macro date_spine(relation, first_day, last_day) -%}
    {{ adapter.dispatch('date_spine', 'salesops')(relation, first_day, last_day) }}
{%- endmacro %}

{% macro duckdb__date_spine(relation, first_day, last_day) -%}
    select cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date) as date_day from {{ relation }}
{%- endmacro %}

{% macro spark__date_spine(relation, first_day, last_day) -%}
    select explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day)) as date_day from {{ relation }}
{%- endmacro %}


{#- Monday 1 to Sunday 7. -#}
{% macro iso_weekday(date_column) -%}
    {{ adapter.dispatch('iso_weekday', 'salesops')(date_column) }}
{%- endmacro %}

{% macro duckdb__iso_weekday(date_column) -%}
    isodow({{ date_column }})
{%- endmacro %}

{% macro spark__iso_weekday(date_column) -%}
    (weekday({{ date_column }}) + 1)
{%- endmacro %}


{#- Date and 'HH:MM' to a timestamp. -#}
{% macro local_timestamp(date_column, clock_time) -%}
    cast(concat(cast({{ date_column }} as {{ text_type() }}), ' ', {{ clock_time }}, ':00') as timestamp)
{%- endmacro %}


{% macro add_seconds(instant, seconds) -%}
    {{ adapter.dispatch('add_seconds', 'salesops')(instant, seconds) }}
{%- endmacro %}

{% macro duckdb__add_seconds(instant, seconds) -%}
    {{ instant }} + to_seconds({{ seconds }})
{%- endmacro %}

{% macro spark__add_seconds(instant, seconds) -%}
    timestampadd(second, {{ seconds }}, {{ instant }})
{%- endmacro %}
