-- Every additive metric per entity and period.
select
    {{ entity_columns('daily') }},
    periods.period_grain,
    periods.period_start,
    max(periods.period_end) as period_end,
{%- for measure in metric_measures() %}
    cast(sum({{ where_it_makes_sense(measure, 'daily') }}) as {{ measure.type }}) as {{ measure.name }}{{ "," if not loop.last }}
{%- endfor %}
from {{ ref('int_metrics__daily') }} as daily
inner join {{ ref('int_calendar__periods') }} as periods on daily.date_day = periods.date_day
group by {{ entity_grouping('daily', ['periods.period_grain', 'periods.period_start']) }}
