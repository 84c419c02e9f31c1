{%- set events = metric_registry().events | selectattr('durations') | list -%}
-- Mean, median and count of every duration per entity and period, each event read once.
with
{%- for event in events %}
    {{ event.name }} as (
        select
            {{ entity_columns('events') }},
            periods.period_grain,
            periods.period_start
            {%- for duration in event.durations %}
            {%- set value = "case when " ~ duration.where ~ " then cast(events." ~ duration.value ~ " as decimal(18, 4)) end" %},
            avg({{ value }}) as {{ duration.name }}_mean,
            cast(median({{ value }}) as double) as {{ duration.name }}_median,
            count({{ value }}) as {{ duration.name }}_count
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
            period_start
            {%- for other in events %}
            {%- for duration in other.durations %}
            {%- for part in ["mean", "median", "count"] %},
            {{ duration.name ~ "_" ~ part if other.name == event.name else "null" }} as {{ duration.name }}_{{ part }}
            {%- endfor %}
            {%- endfor %}
            {%- endfor %}
        from {{ event.name }}
        {{ "union all" if not loop.last }}
    {%- endfor %}
)

select
    entity_type,
    entity_id,
    period_grain,
    period_start
    {%- for event in events %}
    {%- for duration in event.durations %}
    {%- for part in ["mean", "median", "count"] %},
    max({{ duration.name }}_{{ part }}) as {{ duration.name }}_{{ part }}
    {%- endfor %}
    {%- endfor %}
    {%- endfor %}
from measured
group by entity_type, entity_id, period_grain, period_start
