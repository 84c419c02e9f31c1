{#- The folder's schema as it is written (staging, intermediate, marts), without dbt's default prefix: BI tools rely on `marts`. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema if custom_schema_name is none else custom_schema_name | trim }}
{%- endmacro %}
