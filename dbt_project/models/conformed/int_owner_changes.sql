-- Salesforce writes an owner change twice, with names and with ids; only the ids say who. A queue owns, too.
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
    {{ person_of('changes.new_value', 'new_people') }} as new_owner_id,
    new_people.rep_id is not null as is_to_person
from changes
inner join {{ ref('int_run_context') }} as context on changes.created_at <= context.as_of
{{ join_person('changes.new_value', 'new_people') }}
left join {{ ref('stg_salesforce__groups') }} as queues on changes.new_value = queues.group_id
{{ join_person('changes.old_value', 'old_people') }}
-- From one user record of a person to another is no change.
where
    changes.field = 'Owner'
    and (new_people.rep_id is not null or queues.group_id is not null)
    and {{ person_of('changes.old_value', 'old_people') }} is distinct from {{ person_of('changes.new_value', 'new_people') }}
