{%- set needs = tables_by_need() -%}
-- Which kinds of sources have landed: nothing can be said of the others, which is not the same as 0. One row.
select
{%- for need in needs %}
        {{ is_landed(needs[need]) }} as {{ need }}{{ "," if not loop.last }}
{%- endfor %}
