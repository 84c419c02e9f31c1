{#-
    Who owned or held what at the time of an event. Versions of a record do not overlap (tested), so each join finds at
    most one row.
-#}

{#-
    Is a version valid at an instant? Versions are half-open: they include valid_from but not valid_to. With
    `just_before`, the version that ends at the instant: the state at the end of the day whose midnight it is.
-#}
{% macro valid_at(version, instant, just_before=false) -%}
    {%- if just_before -%}
        {{ instant }} > {{ version }}.valid_from and {{ instant }} <= {{ version }}.valid_to
    {%- else -%}
        {{ instant }} >= {{ version }}.valid_from and {{ instant }} < {{ version }}.valid_to
    {%- endif -%}
{%- endmacro %}


{#- Role, team, manager and territory of a rep at an instant; none if the event has no rep. -#}
{% macro join_rep_version(rep_id, instant, alias="rep_versions", just_before=false) -%}
    left join {{ ref('int_reps__versions') }} as {{ alias }}
        on {{ rep_id }} = {{ alias }}.rep_id and {{ valid_at(alias, instant, just_before) }}
{%- endmacro %}


{#- Owner of a deal at an instant. -#}
{% macro join_owner(opportunity_id, instant, alias="owners", just_before=false) -%}
    left join {{ ref('int_opportunities__owners') }} as {{ alias }}
        on {{ opportunity_id }} = {{ alias }}.opportunity_id and {{ valid_at(alias, instant, just_before) }}
{%- endmacro %}


{#-
    Whose a phone number or mail address was when something happened: the only person who ever had it; else the one who
    had it then and whose user record was in use; else the only one who had it then. Two candidates are no answer: no
    row has a rep then.
-#}
{% macro resolve_rep(relation, key, point_kind, value, instant) -%}
    {%- set had_it = valid_at('points', 'subjects.' ~ instant) -%}
    {%- set holder = "case when " ~ had_it ~ " then points.rep_id end" -%}
    {%- set user = "case when points.is_in_use and " ~ had_it ~ " then points.rep_id end" -%}
    select
        subjects.{{ key }},
        case
            when max(points.person_count) = 1 then min(points.rep_id)
            when count(distinct {{ user }}) = 1 then min({{ user }})
            when count(distinct {{ user }}) = 0 and count(distinct {{ holder }}) = 1 then min({{ holder }})
        end as rep_id
    from {{ relation }} as subjects
    inner join {{ ref('int_reps__contact_points') }} as points
        on points.point_kind = '{{ point_kind }}' and subjects.{{ value }} = points.point_value
    group by subjects.{{ key }}
{%- endmacro %}


{#- The person that a user record stands for, and the column that names that person: the user itself where nobody knows the record. -#}
{% macro join_person(user_id, alias) -%}
    left join {{ ref('int_reps__people') }} as {{ alias }} on {{ user_id }} = {{ alias }}.record_id and {{ alias }}.record_kind = 'user'
{%- endmacro %}

{% macro person_of(user_id, alias) -%}
    coalesce({{ alias }}.rep_id, {{ user_id }})
{%- endmacro %}
