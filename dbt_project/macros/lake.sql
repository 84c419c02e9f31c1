{#-
    lake(source('lake', 'x')): the rows committed at the version recorded at the start of this run; with the custom fields
    that a mapping names besides the declared columns.

    source() gives the lineage. Files and columns come from the snapshot named by SALESOPS_LAKE_SNAPSHOT, which is read
    when the model runs, so that a new snapshot does not force a full parse. Every column declared in the sources YAML
    exists: one that the lake lacks (an org without currencies, a file source without calls) reads as NULL, and a
    missing table has no rows. Rows that were withdrawn are left out. A unit test passes its own CTE and gets it back.
-#}
{% macro lake(relation, fields=()) -%}
    {%- if '__dbt__cte__' in (relation | string) -%}
        {{ relation }}
    {%- elif execute -%}
        {%- set snapshot = salesops.read_lake_snapshot(relation.identifier) -%}
        {%- set declared = salesops.declared_columns(relation.identifier) -%}
        {%- set known = declared | map(attribute="name") | map("lower") | list -%}
        {%- for name in fields | map(attribute="field") | select | unique if name | lower not in known -%}
            {%- do declared.append({"name": name, "data_type": text_type()}) -%}
        {%- endfor -%}
        {#- Both engines compare names regardless of case. -#}
        {%- set held = snapshot.columns | map('lower') | list -%}
        (
            select
            {%- for column in declared %}
                {% if snapshot.files and column.name | lower in held -%}
                    {{ adapter.quote(column.name) }}
                {%- else -%}
                    cast(null as {{ column.data_type }}) as {{ adapter.quote(column.name) }}
                {%- endif -%}
                {{ "," if not loop.last }}
            {%- endfor %}
            {%- if snapshot.files %}
            from {{ salesops.read_parquet_files(snapshot.files) }} as lake_row
            {{ salesops.leave_out_withdrawn(relation.identifier, snapshot.withdrawal_files) }}
            {%- else %}
            where false
            {%- endif %}
        )
    {%- else -%}
        (select 1 as not_executed)
    {%- endif -%}
{%- endmacro %}


{#-
    Files and columns of one lake table in the run's snapshot, and the files of the log of withdrawals; empty lists if the
    lake has no such table.
-#}
{% macro read_lake_snapshot(table_name) -%}
    {%- set found = {"files": [], "columns": [], "withdrawal_files": []} -%}
    {%- for name, files, columns in run_query(adapter.dispatch('lake_snapshot_query', 'salesops')(table_name)).rows -%}
        {%- if name == table_name -%}
            {%- do found.update({"files": fromjson(files), "columns": fromjson(columns)}) -%}
        {%- else -%}
            {%- do found.update({"withdrawal_files": fromjson(files)}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{#- The names of the lake tables that have files in the run's snapshot. -#}
{% macro landed_tables() -%}
    {%- if not execute -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set found = [] -%}
    {%- for name, files, columns in run_query(adapter.dispatch('lake_snapshot_query', 'salesops')()).rows if fromjson(files) -%}
        {%- do found.append(name) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{% macro duckdb__lake_snapshot_query(table_name=none) -%}
    select table_name, to_json(files)::varchar, to_json(columns)::varchar
    from read_json(
        '{{ env_var("SALESOPS_LAKE_SNAPSHOT") }}', format = 'newline_delimited',
        columns = {table_name: 'varchar', files: 'varchar[]', columns: 'varchar[]'}
    )
    {{ "where table_name in ('" ~ table_name ~ "', 'withdrawal__log')" if table_name }}
{%- endmacro %}

{% macro spark__lake_snapshot_query(table_name=none) -%}
    select
        get_json_object(value, '$.table_name') as table_name, get_json_object(value, '$.files') as files,
        get_json_object(value, '$.columns') as columns
    from text.`{{ env_var("SALESOPS_LAKE_SNAPSHOT") }}`
    {{ "where get_json_object(value, '$.table_name') in ('" ~ table_name ~ "', 'withdrawal__log')" if table_name }}
{%- endmacro %}


{#-
    A where clause that leaves out the rows of withdrawn loads and records; blank where a table has none. Landing
    compares with the same rows (storage/withdrawals.py, which writes the log).
-#}
{% macro leave_out_withdrawn(table_name, withdrawal_files) -%}
    {%- if withdrawal_files -%}
        {%- set in_force -%}
            (
                select *
                from (
                    select *, row_number() over (partition by withdrawal_id order by _load_id desc) as place
                    from {{ salesops.read_parquet_files(withdrawal_files) }}
                ) as entry
                where place = 1 and is_in_force and table_name = '{{ table_name }}'
            )
        {%- endset -%}
        {%- set kinds = run_query("select distinct key_columns from " ~ in_force ~ " as entry order by key_columns").columns[0].values() -%}
        {%- for key_columns in kinds %}
            {{ "where" if loop.first else "and" }} not exists (
                select 1
                from {{ in_force }} as withdrawn
                where
                {%- if key_columns %}
                    withdrawn.key_columns = '{{ key_columns }}'
                    {%- for name in fromjson(key_columns) %}
                    and {{ salesops.json_text("withdrawn.record_key", name) }} = trim(cast(lake_row.{{ adapter.quote(name) }} as {{ text_type() }}))
                    {%- endfor %}
                    and lake_row._load_id <= withdrawn.load_id
                {%- else %}
                    withdrawn.record_key is null and lake_row._load_id = withdrawn.load_id
                {%- endif %}
            )
        {%- endfor %}
    {%- endif -%}
{%- endmacro %}


{#- The text of one value of a JSON object. -#}
{% macro json_text(column, name) -%}
    {{ adapter.dispatch('json_text', 'salesops')(column, name) }}
{%- endmacro %}

{% macro duckdb__json_text(column, name) -%}
    json_extract_string({{ column }}, '$."{{ name }}"')
{%- endmacro %}

{% macro spark__json_text(column, name) -%}
    get_json_object({{ column }}, '$.{{ name }}')
{%- endmacro %}


{#- Columns that the sources YAML declares for a lake table, each with its data_type (text unless stated). -#}
{% macro declared_columns(table_name) -%}
    {%- set found = graph.sources.values() | selectattr("source_name", "equalto", "lake") | selectattr("name", "equalto", table_name) | first -%}
    {%- set columns = [] -%}
    {%- for column in found.columns.values() -%}
        {%- do columns.append({"name": column.name, "data_type": column.data_type or text_type()}) -%}
    {%- endfor -%}
    {%- for reserved in [("_load_id", text_type()), ("_known_from", "timestamp"), ("_known_time_basis", text_type()), ("_broken_rules", text_type())] -%}
        {%- do columns.append({"name": reserved[0], "data_type": reserved[1]}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}


{% macro read_parquet_files(files) -%}
    {{ adapter.dispatch('read_parquet_files', 'salesops')(files) }}
{%- endmacro %}

{% macro duckdb__read_parquet_files(files) -%}
    read_parquet([{% for file in files %}'{{ file }}'{{ ", " if not loop.last }}{% endfor %}], union_by_name = true, hive_partitioning = false)
{%- endmacro %}

{#-
    A pattern that matches exactly these files; the leading slash makes it an absolute path. With
    spark.sql.parquet.mergeSchema, columns missing from some files are NULL.
-#}
{% macro spark__read_parquet_files(files) -%}
    parquet.`/{{ '{' ~ files | map('trim', '/') | join(',') ~ '}' }}`
{%- endmacro %}
