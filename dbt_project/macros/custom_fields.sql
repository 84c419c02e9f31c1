{#-
    Custom fields of the CRM, as config/fields.yml maps them. The mapping is read when a model runs, so that an edit needs
    no new parse. A unit test passes its own CTE, for which nothing is mapped.
-#}

{#- What we have names for: KNOWN_FIELDS of ingestion/settings/models.py, which a test compares. -#}
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
    {%- if execute and '__dbt__cte__' not in (relation | string) -%}
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


{#- The operator's own fields among a model's columns, which their prefix tells; a unit test's CTE has none. -#}
{% macro own_fields(relation) -%}
    {%- set found = [] -%}
    {%- if execute and '__dbt__cte__' not in (relation | string) -%}
        {%- for column in adapter.get_columns_in_relation(relation) if column.name.startswith("field_") -%}
            {%- do found.append({"column": column.name, "sql_type": column.data_type}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}


{#-
    Columns of the fields, typed, each followed by a comma. What is not of its type is NULL, and its field is named in
    `unfit_fields`; not the value, which may be anything.
-#}
{% macro typed_fields(fields) -%}
    {%- for field in fields %}
    {{ typed_field(field) }} as {{ field.column }},
    {%- endfor %}
    {%- set checked = fields | selectattr("field") | rejectattr("type", "equalto", "text") | list -%}
    {%- if checked %}
    nullif(concat_ws(
        ', '
        {%- for field in checked -%}
        , case when {{ adapter.quote(field.field) }} is not null and {{ typed_field(field) }} is null then '{{ field.field }}' end
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
    {{ alias ~ "." ~ field.column if alias else "cast(null as " ~ field.sql_type ~ ") as " ~ field.column }},
    {%- endfor %}
{%- endmacro %}
