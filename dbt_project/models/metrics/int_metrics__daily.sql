{%- set events = metric_registry().events | selectattr("measures") | list -%}
{%- set measures = metric_measures() -%}
-- One row per rep, team, territory and day: every additive metric, for who held the role at the event. Each event is read once.
with
{%- for event in events %}
    {{ event.name }} as (
        select
            rep_id,
            coalesce(team_id, 'unassigned') as team_id,
            coalesce(territory_id, 'unassigned') as territory_id,
            {{ event.date }} as date_day,
        {%- for measure in event.measures %}
            sum(case when {{ measure.where }} then {{ measure.sum }} end) as {{ measure.name }}{{ "," if not loop.last }}
        {%- endfor %}
        from {{ ref(event.model) }}
        where {{ event.where }} and {{ event.date }} is not null
        group by rep_id, coalesce(team_id, 'unassigned'), coalesce(territory_id, 'unassigned'), {{ event.date }}
    ),
{%- endfor %}

counted as (
    {%- for event in events %}
        select
            rep_id,
            team_id,
            territory_id,
            date_day,
        {%- for measure in measures %}
            {{ measure.name if measure in event.measures else "null" }} as {{ measure.name }}{{ "," if not loop.last }}
        {%- endfor %}
        from {{ event.name }}
        {{ "union all" if not loop.last }}
    {%- endfor %}
)

select
    rep_id,
    team_id,
    territory_id,
    date_day,
{%- for measure in measures %}
    cast({{ sum_or_none(measure) }} as {{ measure.type }}) as {{ measure.name }}{{ "," if not loop.last }}
{%- endfor %}
from counted
group by rep_id, team_id, territory_id, date_day
