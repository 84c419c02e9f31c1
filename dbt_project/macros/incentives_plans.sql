{#- Reading plan and board files from the lake. -#}

{#-
    The rows of one plans__ table that belong to the files in force, each once. Rows are keyed by the hash of their
    file; if a file was loaded several times (the shape of the rows changed), the latest load counts.
-#}
{% macro incentives_in_force(relation, hash_column) -%}
    (
        select held.*
        from {{ relation }} as held
        inner join {{ ref('stg_plans__files') }} as files on held.{{ hash_column }} = files.file_hash
        qualify dense_rank() over (
            partition by held.{{ hash_column }} order by held._known_from desc nulls last, held._load_id desc nulls last
        ) = 1
    )
{%- endmacro %}


{#- 'New Business' to new_business: the value part of a tag. -#}
{% macro incentives_tag_value(column) -%}
    trim(both '_' from {{ every_match_replaced("lower(" ~ column ~ ")", "[^a-z0-9]+", "_") }})
{%- endmacro %}


{#-
    Does a participant row match this rep version? A NULL in the row matches everyone. Dates are business days, both
    ends included.
-#}
{% macro incentives_takes_part(participant, version, rep, event_date) -%}
    (
        ({{ participant }}.role is null or {{ participant }}.role = {{ version }}.role)
        and ({{ participant }}.team is null or {{ participant }}.team in ({{ version }}.team_id, {{ version }}.team_name))
        and ({{ participant }}.rep is null or lower({{ participant }}.rep) in (lower({{ rep }}.rep_id), lower({{ rep }}.email), lower({{ rep }}.employee_id)))
        and ({{ participant }}.effective_from is null or {{ event_date }} >= {{ participant }}.effective_from)
        and ({{ participant }}.effective_to is null or {{ event_date }} <= {{ participant }}.effective_to)
        {#- Comparisons with a NULL name give NULL, which a join reads as no. #}
    )
{%- endmacro %}
