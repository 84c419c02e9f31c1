{%- set rules = data_error_rules() -%}
with context as (select * from {{ ref('int_run_context') }}),

found as (
    select * from {{ ref('int_leads__errors') }}
    union all
    select * from {{ ref('int_opportunities__errors') }}
    union all
    select * from {{ ref('int_invoices__errors') }}
    union all
    select * from {{ ref('int_quotas__errors') }}
    union all
    select * from {{ ref('int_costs__errors') }}
    union all
    select * from {{ ref('int_absences__errors') }}
)

select
    concat(found.record_type, '/', found.record_id, '/', found.rule) as data_error_id,
    found.record_type,
    found.record_id,
    found.rule,
    found.stated_value,
    case found.rule
        {%- for rule, texts in rules.items() %}
            when '{{ rule }}' then '{{ texts[0] }}'
        {%- endfor %}
    end as problem,
    case found.rule
        {%- for rule, texts in rules.items() %}
            when '{{ rule }}' then '{{ texts[1] }}'
        {%- endfor %}
    end as remedy,
    case when found.source = 'salesforce' then concat(context.crm_url, '/', found.record_id) end as link,
    found.source,
    found.load_id,
    found.known_from
from found
cross join context
