{#- None of the columns is NULL in any row: one query for all of them. It shows these columns only, for others may be personal data. -#}
{% test not_null_columns(model, columns) %}
    
    
    
select {{ columns | join(", ") }}
from {{ model }}
where
    {%- for column in columns %}
    {{ "or " if not loop.first }}{{ column }} is null
    {%- endfor %}
{% endtest %}
