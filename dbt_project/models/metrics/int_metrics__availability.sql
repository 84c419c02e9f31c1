{%- set needs, landed = tables_by_need(), landed_tables() -%}
-- Which kinds of sources have landed: nothing can be said of the others, which is not the same as 0. One row.
select
{%- for need in needs %}
        {{ "true" if needs[need] | select("in", landed) | list else "false" }} as {{ need }}{{ "," if not loop.last }}
{%- endfor %}
