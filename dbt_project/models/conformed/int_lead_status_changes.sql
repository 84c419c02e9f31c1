-- Every status that a lead got, and its conversion, which Salesforce notes apart from the status.
select
    history.lead_id,
    history.created_at as changed_at,
    statuses.status,
    history.field = 'leadConverted' as is_conversion
from {{ ref('stg_salesforce__lead_history') }} as history
inner join {{ ref('int_run_context') }} as context on history.created_at <= context.as_of
left join {{ ref('int_lead_statuses') }} as statuses on history.field = 'Status' and history.new_value = statuses.status_name
where history.field in ('Status', 'leadConverted')
