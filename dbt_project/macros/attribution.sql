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
