{#- A key that reveals nothing about its text: 128 bits of its SHA-256, hexadecimal. NULL for NULL. -#}
{% macro hash_key(text) -%}
    {{ adapter.dispatch('hash_key', 'salesops')(text) }}
{%- endmacro %}

{% macro duckdb__hash_key(text) -%}
    left(sha256({{ text }}), 32)
{%- endmacro %}

{% macro spark__hash_key(text) -%}
    left(sha2({{ text }}, 256), 32)
{%- endmacro %}


{#- A source's own key, hashed if it is or contains a mail address: keys are published unchanged. -#}
{% macro key_without_address(column) -%}
    case when {{ column }} like '%@%' then {{ hash_key(column) }} else {{ column }} end
{%- endmacro %}
