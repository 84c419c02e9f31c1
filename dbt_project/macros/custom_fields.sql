{#-
    Custom fields of the CRM, as config/fields.yml maps them. The mapping is read when a model runs, so that an edit needs
    no new parse. A unit test passes its own CTE, for which nothing is mapped.
-#}

{#- What we have names for; ingestion/settings/models.py knows the same. -#}
{% macro known_fields(object_name) -%}
    {{ return({
        "Lead": [
            {"column": "process", "type": "text"}, {"column": "segment", "type": "text"}, {"column": "campaign_id", "type": "text"},
            {"column": "web_visits", "type": "integer"}, {"column": "disqualified_reason", "type": "text"}
        ],
        "Opportunity": [
            {"column": "process", "type": "text"}, {"column": "competitor", "type": "text"}, {"column": "loss_reason", "type": "text"},
            {"column": "discount_rate", "type": "percent"}
        ],
        "Event": [{"column": "is_cancelled", "type": "boolean"}]
    }[object_name]) }}
{%- endmacro %}


{#- The fields of an object as dicts of column, type and field: our names first (field is none if unmapped), then the operator's own. -#}
{% macro mapped_fields(object_name, relation) -%}
    {%- set mapped = {} -%}
    {%- if execute and env_var("SALESOPS_LAKE_SNAPSHOT", "") and '__dbt__cte__' not in (relation | string) -%}
        {%- set fields = salesops.read_lake_snapshot("settings__field") -%}
        {%- set orgs = salesops.read_lake_snapshot("settings__org") -%}
        {%- if fields.files and orgs.files -%}
            {%- set query -%}
                select distinct column_name, field_type, field_name
                from {{ salesops.read_parquet_files(fields.files) }} as field
                where object_name = '{{ object_name }}' and settings_hash in (
                    select settings_hash
                    from (
                        select settings_hash, row_number() over (order by _known_from desc, _load_id desc) as place
                        from {{ salesops.read_parquet_files(orgs.files) }} as org
                    ) as newest
                    where place = 1
                )
                order by column_name
            {%- endset -%}
            {%- for column, type, field in run_query(query).rows -%}
                {%- do mapped.update({column: {"column": column, "type": type, "field": field}}) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
    {%- set found = [] -%}
    {%- for known in known_fields(object_name) -%}
        {%- do found.append(mapped.pop(known.column, {"column": known.column, "type": known.type, "field": none})) -%}
    {%- endfor -%}
    {{ return(found + mapped.values() | list) }}
{%- endmacro %}


{#- Only the operator's own fields of an object. -#}
{% macro own_fields(object_name, relation) -%}
    {%- set known = known_fields(object_name) | map(attribute="column") | list -%}
    {{ return(mapped_fields(object_name, relation) | rejectattr("column", "in", known) | list) }}
{%- endmacro %}


{#- Columns of the fields, typed, each followed by a comma. What is not of its type is NULL, and named in `unfit_fields`. -#}
{% macro typed_fields(fields) -%}
    {%- for field in fields %}
    {{ typed_field(field) }} as {{ field.column }},
    {%- endfor %}
    {%- set checked = fields | selectattr("field") | rejectattr("type", "equalto", "text") | list -%}
    {%- if checked %}
    nullif(concat_ws(
        ', '
        {%- for field in checked -%}
        , case
            when {{ adapter.quote(field.field) }} is not null and {{ typed_field(field) }} is null
                then concat('{{ field.field }}=', {{ adapter.quote(field.field) }})
        end
        {%- endfor -%}
    ), '') as unfit_fields,
    {%- else %}
    cast(null as {{ text_type() }}) as unfit_fields,
    {%- endif %}
{%- endmacro %}

{% macro typed_field(field) -%}
    {%- set value = adapter.quote(field.field) if field.field else "cast(null as " ~ text_type() ~ ")" -%}
    {%- if field.type == "percent" -%}
        {{ percent_to_rate(value) }}
    {%- elif field.type == "text" -%}
        nullif(trim({{ value }}), '')
    {%- else -%}
        try_cast({{ value }} as {{ field_type(field.type) }})
    {%- endif -%}
{%- endmacro %}

{% macro field_type(type) -%}
    {{ {"text": text_type(), "integer": "bigint", "decimal": "decimal(28, 6)", "percent": "decimal(9, 6)"}.get(type, type) }}
{%- endmacro %}


{#- The names of fields with their alias, or as typed NULLs, each followed by a comma. -#}
{% macro field_names(fields, alias=none) -%}
    {%- for field in fields %}
    {{ alias ~ "." ~ field.column if alias else "cast(null as " ~ field_type(field.type) ~ ") as " ~ field.column }},
    {%- endfor %}
{%- endmacro %}
