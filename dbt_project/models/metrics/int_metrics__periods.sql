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

spans as (
    select
        period_grain,
        period_start,
        max(period_end) as period_end
    from {{ ref('int_calendar__periods') }}
    group by period_grain, period_start
),

-- The pipeline is known from the first deal on.
pipeline_begin as (select min(date_day) as first_day from {{ ref('fct_pipeline_daily') }}),

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
        {%- for model, names in registry.inputs.items() %}
            {%- for name in names | reject("equalto", "open_deals_at_end") %}
                {{ model }}.{{ name }},
            {%- endfor %}
        {%- endfor %}
        coalesce(
            int_metrics__positions.open_deals_at_end,
            case when keys.period_start <= context.as_of_date and spans.period_end >= pipeline_begin.first_day then 0 end
        ) as open_deals_at_end,
        context.minutes_per_email,
        spans.period_end < context.as_of_date as is_complete
    from keys
    cross join context
    cross join pipeline_begin
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
