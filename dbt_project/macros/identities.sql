{#- Identities: one record that two systems write in two ways. -#}

{#-
    A Salesforce record id in its long form. The API gives 18 characters; links, reports and copies of them have the
    first 15, which differ by case alone (…AbCdE and …AbCde are two records). The last three characters
    say which of each five are capitals: bit 1 for the first, 16 for the fifth, as a character of A–Z and 0–5. So a
    short id is lengthened, and ids are never compared without case. Any other text comes back without blanks around it.
-#}
{% macro long_record_id(column) -%}
    {%- set text = "trim(" ~ column ~ ")" -%}
    case
        when length({{ text }}) = 15
            then concat(
                {{ text }}
                {%- for first in [1, 6, 11] %},
                substr(
                    'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345',
                    1
                    {%- for bit in range(5) %}
                    + case when substr({{ text }}, {{ first + bit }}, 1) between 'A' and 'Z' then {{ 2 ** bit }} else 0 end
                    {%- endfor %},
                    1
                )
                {%- endfor %}
            )
        else {{ text }}
    end
{%- endmacro %}


{#-
    The records of a relation by their long id, for a stated id that no record has as it stands. A long id that two
    records share names neither.
-#}
{% macro records_by_long_id(relation, column) -%}
    select
        {{ long_record_id(column) }} as long_id,
        min({{ column }}) as record_id
    from {{ relation }}
    group by {{ long_record_id(column) }}
    having count(*) = 1
{%- endmacro %}
