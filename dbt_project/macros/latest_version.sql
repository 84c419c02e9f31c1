{#-
    Which version of a record stands in staging: of the rows that kept their contract, the newest by the source's own stamp where it has one, then by
    when we learned it, then by load. Ends a staging model, in place of its where clause.
-#}
{% macro latest_version(key, source_stamp=none) -%}
where _broken_rules is null
qualify row_number() over (
    partition by {{ key }}
    order by {% if source_stamp %}{{ source_stamp }} desc nulls last, {% endif %}_known_from desc nulls last, _load_id desc nulls last
) = 1
{%- endmacro %}
