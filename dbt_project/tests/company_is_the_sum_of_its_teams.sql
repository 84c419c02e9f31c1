-- Every additive measure, every period: the company's figure is the sum over teams and over territories. Reps are not compared: an event
-- without a rep counts for the company (team 'unassigned') and for no rep.
with entities as (
    {%- for entity in ['company', 'team', 'territory'] %}
        select
            '{{ entity }}' as entity,
            period_grain,
            period_start,
        {%- for measure in kpi_measures() %}
            sum({{ measure }}) as {{ measure }}{{ "," if not loop.last }}
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
    {%- for measure in kpi_measures() %}
        or min({{ measure }}) is distinct from max({{ measure }})
    {%- endfor %}
