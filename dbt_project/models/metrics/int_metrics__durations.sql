{%- set events = metric_registry().events | selectattr("durations") | list -%}
{%- set columns = duration_columns() -%}
-- Mean, median and count of every duration per entity and period, each event read once.
with
{%- for event in events %}
    {{ event.name }} as (
        select
            {{ entity_columns('events') }},
            periods.period_grain,
            periods.period_start,
        {%- for duration in event.durations %}
            {{ measured_duration(duration, 'events') }}{{ "," if not loop.last }}
        {%- endfor %}
        from {{ ref(event.model) }} as events
        inner join {{ ref('int_calendar__periods') }} as periods on events.{{ event.date }} = periods.date_day
        where {{ event.where }}
        group by {{ entity_grouping('events', ['periods.period_grain', 'periods.period_start']) }}
    ),
{%- endfor %}

measured as (
    {%- for event in events %}
        select
            entity_type,
            entity_id,
            period_grain,
            period_start,
        {%- for column in columns %}
            {{ column.name if column.event == event.name else "null" }} as {{ column.name }}{{ "," if not loop.last }}
        {%- endfor %}
        from {{ event.name }}
        {{ "union all" if not loop.last }}
    {%- endfor %}
)

select
    entity_type,
    entity_id,
    period_grain,
    period_start,
{%- for column in columns %}
    max({{ column.name }}) as {{ column.name }}{{ "," if not loop.last }}
{%- endfor %}
from measured
group by entity_type, entity_id, period_grain, period_start
