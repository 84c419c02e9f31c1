with deals as (select * from {{ ref('int_opportunities__unioned') }}),

reps as (select rep_id from {{ ref('int_reps__identities') }}),

-- Salesforce writes an owner change twice, with names and with ids; only the ids say who.
changes as (
    select
        history.opportunity_id,
        history.created_at,
        history.old_value,
        history.new_value,
        lead(history.created_at) over by_time as next_changed_at,
        row_number() over by_time as change_number
    from {{ ref('stg_salesforce__opportunity_field_history') }} as history
    inner join {{ ref('int_run_context') }} as context on history.created_at <= context.as_of
    where history.field = 'Owner' and history.new_value in (select reps.rep_id from reps)
    window by_time as (partition by history.opportunity_id order by history.created_at asc nulls last, history.history_id asc nulls last)
)

select
    opportunity_id,
    old_value as owner_id,
    timestamp '1900-01-01' as valid_from,
    created_at as valid_to
from changes
where change_number = 1
union all
select
    opportunity_id,
    new_value,
    created_at,
    coalesce(next_changed_at, timestamp '9999-12-31')
from changes
union all
select
    opportunity_id,
    owner_id,
    timestamp '1900-01-01',
    timestamp '9999-12-31'
from deals
where opportunity_id not in (select changes.opportunity_id from changes)
