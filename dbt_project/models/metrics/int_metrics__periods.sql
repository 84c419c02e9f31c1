{%- set registry = metric_registry() -%}
{%- set parts = ['int_metrics__sums', 'int_metrics__durations'] + registry.inputs | list -%}
-- Every metric per entity and period: sums, durations and other inputs side by side, and what is divided of them. An entity has a row for each period
-- in which any of them has something to say: a rep whose deals all slipped did nothing, and has a slippage rate.
with context as (select * from {{ ref('int_run_context') }}),

sellers as (
    select distinct rep_id
    from {{ ref('int_reps__versions') }}
    where role <> 'other'
),

-- What stood at the end of a period is known from the first deal on, up to today.
pipeline_begin as (select min(date_day) as first_day from {{ ref('fct_pipeline_daily') }}),

spans as (
    select
        periods.period_grain,
        periods.period_start,
        max(periods.period_end) as period_end,
        max(periods.period_end) >= max(pipeline_begin.first_day) and periods.period_start <= max(context.as_of_date) as is_known
    from {{ ref('int_calendar__periods') }} as periods
    cross join pipeline_begin
    cross join context
    group by periods.period_grain, periods.period_start
),

keys as (
    {%- for part in parts %}
        select
            entity_type,
            entity_id,
            period_grain,
            period_start
        from {{ ref(part) }}
        {{ "union" if not loop.last }}
    {%- endfor %}
),

measured as (
    select
        keys.entity_type,
        keys.entity_id,
        keys.period_grain,
        keys.period_start,
        spans.period_end,
        {%- for measure in metric_measures() %}
            {%- set value = "sums." ~ measure.name %}
            {%- set filled = value if measure.if_none == "null" else "coalesce(" ~ value ~ ", " ~ measure.if_none ~ ")" %}
            {{ if_available(measure.needs, filled) }} as {{ measure.name }},
        {%- endfor %}
        {%- for column in duration_columns() %}
            durations.{{ column.name }},
        {%- endfor %}
        {%- for model, inputs in registry.inputs.items() %}
            {%- for input in inputs %}
                {%- set value = model ~ "." ~ input.name %}
                {{ value if input.if_none == "null" else "coalesce(" ~ value ~ ", case when spans.is_known then " ~ input.if_none ~ " end)" }}
                    as {{ input.name }},
            {%- endfor %}
        {%- endfor %}
        context.minutes_per_email,
        spans.period_end < context.as_of_date as is_complete
    from keys
    cross join context
    cross join {{ ref('int_metrics__availability') }} as availability
    inner join spans on keys.period_grain = spans.period_grain and keys.period_start = spans.period_start
    {{ join_same_period('int_metrics__sums', 'sums') }}
    {{ join_same_period('int_metrics__durations', 'durations') }}
    {%- for model in registry.inputs %}
        {{ join_same_period(model, model) }}
    {%- endfor %}
    where keys.entity_type <> 'rep' or keys.entity_id in (select sellers.rep_id from sellers)
)

select
    entity_type,
    entity_id,
    period_grain,
    period_start,
    period_end,
    is_complete,
{%- for column in registry.columns %}
    {{ column.sql }} as {{ column.name }}{{ "," if not loop.last }}
{%- endfor %}
from measured
