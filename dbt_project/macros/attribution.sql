{#-
    Who held the role at the time of the event: joins the version of a rep that was valid at an instant. One row at most, because versions of
    a rep do not overlap (tested); none where the event has no rep.
-#}
{% macro join_rep_version(rep_id, instant, alias="rep_versions") -%}
    left join {{ ref('int_reps__versions') }} as {{ alias }}
        on {{ rep_id }} = {{ alias }}.rep_id and {{ instant }} >= {{ alias }}.valid_from and {{ instant }} < {{ alias }}.valid_to
{%- endmacro %}
