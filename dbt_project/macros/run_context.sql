{#-
    The one row the orchestrator writes at the start of a build: run id and as-of instant. source() is only there for
    the lineage.
-#}
{% macro run_context(relation) -%}
    {%- if '__dbt__cte__' in (relation | string) -%}
        {{ relation }}
    {%- else -%}
        {{ adapter.dispatch('run_context', 'salesops')() }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__run_context() -%}
    read_json('{{ env_var("SALESOPS_RUN_CONTEXT") }}', columns = {run_id: 'varchar', as_of: 'timestamp', crm_url: 'varchar'})
{%- endmacro %}

{% macro spark__run_context() -%}
    (
        select get_json_object(value, '$.run_id') as run_id, cast(get_json_object(value, '$.as_of') as timestamp) as as_of,
            get_json_object(value, '$.crm_url') as crm_url
        from text.`{{ env_var("SALESOPS_RUN_CONTEXT") }}`
    )
{%- endmacro %}
