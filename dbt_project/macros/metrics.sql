{#-
    Building blocks of the metric models. The metrics are declared in the macro metric_registry, which `make generate`
    writes.
-#}

{#- Every additive metric, in the column order of the marts. -#}
{% macro metric_measures() -%}
    {%- set measures = [] -%}
    {%- for event in metric_registry().events -%}
        {%- do measures.extend(event.measures) -%}
    {%- endfor -%}
    {{ return(measures) }}
{%- endmacro %}


{#- The columns of int_metrics__durations, each with its event. -#}
{% macro duration_columns() -%}
    {%- set columns = [] -%}
    {%- for event in metric_registry().events -%}
        {%- for duration in event.durations -%}
            {%- for part in ["mean", "median", "count"] -%}
                {%- do columns.append({"name": duration.name ~ "_" ~ part, "event": event.name}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}


{#- Mean, median and count of a duration over the rows that meet its condition. -#}
{% macro measured_duration(duration, relation) -%}
    {%- set value = "case when " ~ duration.where ~ " then cast(" ~ relation ~ "." ~ duration.value ~ " as decimal(18, 4)) end" -%}
    avg({{ value }}) as {{ duration.name }}_mean,
    cast(median({{ value }}) as double) as {{ duration.name }}_median,
    count({{ value }}) as {{ duration.name }}_count
{%- endmacro %}


{#- The sum of a metric over rows that may lack it. -#}
{% macro sum_or_none(measure) -%}
    {{ "sum(" ~ measure.name ~ ")" if measure.if_none == "null" else "coalesce(sum(" ~ measure.name ~ "), " ~ measure.if_none ~ ")" }}
{%- endmacro %}


{#- A metric's value in the period grains where it makes sense; NULL in the others. -#}
{% macro where_it_makes_sense(measure, relation) -%}
    {%- set grains = metric_registry().grains.get(measure.name) -%}
    {%- if grains -%}
        case when periods.period_grain in ('{{ grains | join("', '") }}') then {{ relation }}.{{ measure.name }} end
    {%- else -%}
        {{ relation }}.{{ measure.name }}
    {%- endif -%}
{%- endmacro %}


{#- The entity of a row of `group by entity_grouping(…)`: entity_type and entity_id. -#}
{% macro entity_columns(relation) -%}
    case
        when grouping({{ relation }}.rep_id) = 0 then 'rep'
        when grouping({{ relation }}.team_id) = 0 then 'team'
        when grouping({{ relation }}.territory_id) = 0 then 'territory'
        else 'company'
    end as entity_type,
    case
        when grouping({{ relation }}.rep_id) = 0 then {{ relation }}.rep_id
        when grouping({{ relation }}.team_id) = 0 then {{ relation }}.team_id
        when grouping({{ relation }}.territory_id) = 0 then {{ relation }}.territory_id
        else 'company'
    end as entity_id
{%- endmacro %}


{#- Groups rows of reps four ways: by rep, team, territory and company, each combined with the other columns. -#}
{% macro entity_grouping(relation, others) -%}
    grouping sets (
        ({{ relation }}.rep_id, {{ others | join(", ") }}),
        ({{ relation }}.team_id, {{ others | join(", ") }}),
        ({{ relation }}.territory_id, {{ others | join(", ") }}),
        ({{ others | join(", ") }})
    )
{%- endmacro %}


{#- Joins a model's row for the same entity and period as `keys`. -#}
{% macro join_same_period(model, alias) -%}
    left join {{ ref(model) }} as {{ alias }}
        on
            keys.entity_type = {{ alias }}.entity_type
            and keys.entity_id = {{ alias }}.entity_id
            and keys.period_grain = {{ alias }}.period_grain
            and keys.period_start = {{ alias }}.period_start
{%- endmacro %}


{#- One period mart: the rows of one entity type, with its own key name. -#}
{% macro period_mart(entity, key=none) -%}
select
    {%- if key %}
    entity_id as {{ key }},
    {%- endif %}
    period_grain,
    period_start,
    period_end,
    is_complete,
    {%- for column in metric_registry().columns %}
    {{ column.name }}{{ "," if not loop.last }}
    {%- endfor %}
from {{ ref('int_metrics__periods') }}
where entity_type = '{{ entity }}'
{%- endmacro %}


{#- A rate as three columns: numerator, denominator, value. -#}
{% macro rate_columns(name, numerator, denominator) -%}
    {{ numerator }} as {{ name }}_numerator,
    {{ denominator }} as {{ name }}_denominator,
    {{ ratio(numerator, denominator) }} as {{ name }}
{%- endmacro %}
