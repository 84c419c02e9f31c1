{#- Text in both dialects: its type, its parts, and text aggregated from several rows. -#}

{#- The type of text. Spark's VARCHAR needs a length. -#}
{% macro text_type() -%}
    {{ adapter.dispatch('text_type', 'salesops')() }}
{%- endmacro %}

{% macro duckdb__text_type() -%}
    varchar
{%- endmacro %}

{% macro spark__text_type() -%}
    string
{%- endmacro %}


{#-
    The text with every match of a regular expression replaced; pattern and replacement are literals without quotes or
    backslashes.
-#}
{% macro every_match_replaced(text, pattern, replacement) -%}
    {{ adapter.dispatch('every_match_replaced', 'salesops')(text, pattern, replacement) }}
{%- endmacro %}

{% macro duckdb__every_match_replaced(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro spark__every_match_replaced(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}')
{%- endmacro %}


{#- The texts of a group joined in an order, with a separator. -#}
{% macro joined_text(text, separator, order) -%}
    {{ adapter.dispatch('joined_text', 'salesops')(text, separator, order) }}
{%- endmacro %}

{% macro duckdb__joined_text(text, separator, order) -%}
    string_agg({{ text }}, '{{ separator }}' order by {{ order }})
{%- endmacro %}

{% macro spark__joined_text(text, separator, order) -%}
    listagg({{ text }}, '{{ separator }}') within group (order by {{ order }})
{%- endmacro %}
