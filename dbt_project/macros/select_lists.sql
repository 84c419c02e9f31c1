{#- Value of the row with the greatest order among those that meet a condition. -#}
{% macro arg_max(value, order, condition="true") -%}
    {{ adapter.dispatch('arg_max', 'salesops')(value, order, condition) }}
{%- endmacro %}

{% macro duckdb__arg_max(value, order, condition) -%}
    max_by({{ value }}, {{ order }}) filter (where {{ condition }})
{%- endmacro %}


{#- A relation's columns without some of them. -#}
{% macro all_but(alias, columns) -%}
    {{ adapter.dispatch('all_but', 'salesops')(alias, columns) }}
{%- endmacro %}

{% macro duckdb__all_but(alias, columns) -%}
    {{ alias }}.* exclude ({{ columns | join(", ") }})
{%- endmacro %}


{#- One row per element of a list, in the select list. -#}
{% macro unnested(list) -%}
    {{ adapter.dispatch('unnested', 'salesops')(list) }}
{%- endmacro %}

{% macro duckdb__unnested(list) -%}
    unnest({{ list }})
{%- endmacro %}
