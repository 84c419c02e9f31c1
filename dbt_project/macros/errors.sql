{#- Aborts the query with a user message: a failing test then says what is wrong, not only how often. -#}
{% macro raise_error(message) -%}
    {{ adapter.dispatch('raise_error', 'salesops')(message) }}
{%- endmacro %}

{% macro duckdb__raise_error(message) -%}
    error({{ message }})
{%- endmacro %}

{% macro spark__raise_error(message) -%}
    cast(raise_error({{ message }}) as {{ text_type() }})
{%- endmacro %}
