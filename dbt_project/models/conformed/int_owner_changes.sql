-- Salesforce writes an owner change twice, with names and with ids; only the ids say who.
with changes as (
    select
        'lead' as record_kind,
        lead_id as record_id,
        history_id,
        created_at,
        field,
        old_value,
        new_value
    from {{ ref('stg_salesforce__lead_history') }}
    union all
    select
        'opportunity',
        opportunity_id,
        history_id,
        created_at,
        field,
        old_value,
        new_value
    from {{ ref('stg_salesforce__opportunity_field_history') }}
)

select
    changes.record_kind,
    changes.record_id,
    changes.history_id,
    changes.created_at as changed_at,
    changes.old_value as old_owner_id,
    changes.new_value as new_owner_id
from changes
inner join {{ ref('int_run_context') }} as context on changes.created_at <= context.as_of
where changes.field = 'Owner' and changes.new_value in (select reps.rep_id from {{ ref('int_reps__identities') }} as reps)
