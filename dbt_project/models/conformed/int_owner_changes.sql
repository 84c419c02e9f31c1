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
    {{ person_of('changes.old_value', 'old_people') }} as old_owner_id,
    new_people.rep_id as new_owner_id
from changes
inner join {{ ref('int_run_context') }} as context on changes.created_at <= context.as_of
inner join {{ ref('int_reps__people') }} as new_people on changes.new_value = new_people.record_id and new_people.record_kind = 'user'
{{ join_person('changes.old_value', 'old_people') }}
-- From one user record of a person to another is no change.
where changes.field = 'Owner' and old_people.rep_id is distinct from new_people.rep_id
