{#-
    A model with `access: public` is a mart and goes to the schema `marts`, whatever its folder: BI tools rely on that
    name. Every other model goes to the schema of its layer, without dbt's default prefix.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if node.resource_type == 'model' and node.config.access == 'public' -%}
        marts
    {%- else -%}
        {{ target.schema if custom_schema_name is none else custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
