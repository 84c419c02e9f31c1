{#- The columns together name one row: none of them NULL, no combination twice. -#}
{% test primary_key(model, columns) %}
    
    
    
select
    {{ columns | join(", ") }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(", ") }}
having
    count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
