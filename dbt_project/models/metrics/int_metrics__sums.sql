{%- set grains = metric_registry().grains -%}
-- Every additive metric per entity and period.
select
    {{ entity_columns('daily') }},
    periods.period_grain,
    periods.period_start,
    max(periods.period_end) as period_end
    {%- for measure in metric_measures() %},
    cast(
        {%- if measure.name in grains %}
            sum(case when periods.period_grain in ('{{ grains[measure.name] | join("', '") }}') then daily.{{ measure.name }} end)
        {%- else %}
            sum(daily.{{ measure.name }})
        {%- endif %} as {{ measure.type }}
    ) as {{ measure.name }}
    {%- endfor %}
from {{ ref('int_metrics__daily') }} as daily
inner join {{ ref('int_calendar__periods') }} as periods on daily.date_day = periods.date_day
group by {{ entity_grouping('daily', ['periods.period_grain', 'periods.period_start']) }}
