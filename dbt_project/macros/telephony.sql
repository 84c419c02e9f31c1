{#- Parsing call logs. Each macro gives NULL for NULL. -#}

{#- Seconds since 1970, as text, to a UTC timestamp. -#}
{% macro epoch_instant(column) -%}
    {{ adapter.dispatch('epoch_instant', 'salesops')(column) }}
{%- endmacro %}

{% macro duckdb__epoch_instant(column) -%}
    timezone('UTC', to_timestamp(cast({{ column }} as bigint)))
{%- endmacro %}

{% macro spark__epoch_instant(column) -%}
    timestamp_seconds(cast({{ column }} as bigint))
{%- endmacro %}


{#-
    Two columns of a select, `element` and `element_number` (from 1): one row per element of a JSON list, none for NULL
    or an empty list.
-#}
{% macro json_elements(column) -%}
    {{ adapter.dispatch('json_elements', 'salesops')(column) }}
{%- endmacro %}

{% macro duckdb__json_elements(column) -%}
    unnest(from_json({{ column }}, '["json"]')) as element, generate_subscripts(from_json({{ column }}, '["json"]'), 1) as element_number
{%- endmacro %}

{% macro spark__json_elements(column) -%}
    inline(transform(
        from_json({{ column }}, 'array<string>'), (value, place) -> struct(value as element, place + 1 as element_number)
    ))
{%- endmacro %}


{#- A value of a JSON object, as text. -#}
{% macro json_value(json, name) -%}
    {{ adapter.dispatch('json_value', 'salesops')(json, name) }}
{%- endmacro %}

{% macro duckdb__json_value(json, name) -%}
    json_extract_string({{ json }}, '$.{{ name }}')
{%- endmacro %}

{% macro spark__json_value(json, name) -%}
    get_json_object({{ json }}, '$.{{ name }}')
{%- endmacro %}
