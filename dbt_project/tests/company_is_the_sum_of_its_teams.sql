-- Every additive measure, every period: the company's figure is the sum over teams and over territories. Reps are not compared: an event
-- without a rep counts for the company (team 'unassigned') and for no rep.
with entities as (
    {%- for entity in ['company', 'team', 'territory'] %}
        select
            '{{ entity }}' as entity,
            period_grain,
            period_start,
        {%- for measure in metric_measures() %}
            sum({{ measure.name }}) as {{ measure.name }}{{ "," if not loop.last }}
        {%- endfor %}
        from {{ ref('kpi_' ~ entity ~ '_period') }}
        group by period_grain, period_start
        {{ "union all" if not loop.last }}
    {%- endfor %}
)

select
    period_grain,
    period_start
from entities
group by period_grain, period_start
having
    count(distinct entity) <> 3
    {%- for measure in metric_measures() %}
        or min({{ measure.name }}) is distinct from max({{ measure.name }})
    {%- endfor %}
