{%- set registry = metric_registry() -%}
-- Every metric per entity and period: sums, durations and other inputs side by side, and what is divided of them.
with sellers as (
    select distinct rep_id
    from {{ ref('int_reps__versions') }}
    where role <> 'other'
),

measured as (
    select
        sums.*,
        {%- for column in duration_columns() %}
            durations.{{ column.name }},
        {%- endfor %}
        {%- for model, names in registry.inputs.items() %}
            {%- for name in names %}
                {{ model }}.{{ name }},
            {%- endfor %}
        {%- endfor %}
        context.minutes_per_email,
        sums.period_end < context.as_of_date as is_complete
    from {{ ref('int_metrics__sums') }} as sums
    cross join {{ ref('int_run_context') }} as context
    {{ join_same_period('int_metrics__durations', 'durations') }}
    {%- for model in registry.inputs %}
        {{ join_same_period(model, model) }}
    {%- endfor %}
    where sums.entity_type <> 'rep' or sums.entity_id in (select sellers.rep_id from sellers)
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
