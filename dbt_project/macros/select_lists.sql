{#- The value of the row with the greatest order among those that meet a condition. -#}
{% macro arg_max(value, order, condition="true") -%}
    max_by({{ value }}, {{ order }}) filter (where {{ condition }})
{%- endmacro %}


{#- A relation's columns except some. -#}
{% macro all_but(alias, columns) -%}
    {{ adapter.dispatch('all_but', 'salesops')(alias, columns) }}
{%- endmacro %}

{% macro duckdb__all_but(alias, columns) -%}
    {{ alias }}.* exclude ({{ columns | join(", ") }})
{%- endmacro %}

{% macro spark__all_but(alias, columns) -%}
    {{ alias }}.* except ({{ columns | join(", ") }})
{%- endmacro %}


{#- One row per element of a list, in the select list. -#}
{% macro unnested(list) -%}
    {{ adapter.dispatch('unnested', 'salesops')(list) }}
{%- endmacro %}

{% macro duckdb__unnested(list) -%}
    unnest({{ list }})
{%- endmacro %}

{% macro spark__unnested(list) -%}
    explode({{ list }})
{%- endmacro %}


{#- Two lists concatenated; NULL counts as empty. -#}
{% macro joined_lists(first, second) -%}
    {{ adapter.dispatch('joined_lists', 'salesops')(first, second) }}
{%- endmacro %}

{% macro duckdb__joined_lists(first, second) -%}
    list_concat(coalesce({{ first }}, []), coalesce({{ second }}, []))
{%- endmacro %}

{% macro spark__joined_lists(first, second) -%}
    concat(coalesce({{ first }}, array()), coalesce({{ second }}, array()))
{%- endmacro %}
