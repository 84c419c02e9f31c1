-- Each time that the close date of a deal that counts moved, for its owner then.
with context as (select * from {{ ref('int_run_context') }}),

changes as (
    select
        states.opportunity_id,
        states.state_number,
        states.valid_from as changed_at,
        lag(states.close_date) over (partition by states.opportunity_id order by states.state_number asc nulls last) as previous_close_date,
        states.close_date
    from {{ ref('int_opportunities__states') }} as states
    inner join {{ ref('fct_opportunities') }} as deals on states.opportunity_id = deals.opportunity_id and deals.is_counted
)

select
    changes.opportunity_id,
    changes.state_number,
    changes.changed_at,
    {{ business_date('changes.changed_at', 'context.business_timezone') }} as date_day,
    owners.owner_id as rep_id,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    changes.previous_close_date,
    changes.close_date,
    changes.close_date > changes.previous_close_date as is_push
from changes
cross join context
{{ join_owner('changes.opportunity_id', 'changes.changed_at') }}
{{ join_rep_version('owners.owner_id', 'changes.changed_at') }}
where changes.close_date <> changes.previous_close_date
