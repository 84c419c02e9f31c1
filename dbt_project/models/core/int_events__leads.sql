-- What happened to each lead that counts, one row per moment, with the person it belongs to: who created it, who handled it first, whom it is
-- assigned to, and who owned it when it was qualified, converted or disqualified.
with context as (select * from {{ ref('int_run_context') }}),

moments as (
    {%- for moment in ['created', 'handled', 'assigned', 'qualified', 'converted', 'disqualified'] %}
        select '{{ moment }}' as moment
        {{ "union all" if not loop.last }}
    {%- endfor %}
),

happened as (
    select
        leads.*,
        moments.moment,
        case moments.moment
            when 'created' then leads.created_by_id
            when 'handled' then coalesce(leads.first_touch_rep_id, leads.assigned_rep_id)
            when 'assigned' then leads.assigned_rep_id
        end as rep_id,
        case moments.moment
            when 'qualified' then leads.qualified_at
            when 'converted' then leads.converted_at
            when 'disqualified' then leads.disqualified_at
            else leads.created_at
        end as happened_at
    from {{ ref('fct_leads') }} as leads
    cross join moments
    where leads.is_counted
),

-- What happens to a lead later counts for its owner at the time.
attributed as (
    select
        happened.*,
        coalesce(happened.rep_id, people.rep_id) as credited_rep_id
    from happened
    left join {{ ref('int_leads__owners') }} as owners
        on
            happened.lead_id = owners.lead_id
            and happened.moment in ('qualified', 'converted', 'disqualified')
            and {{ valid_at('owners', 'happened.happened_at') }}
    left join {{ ref('int_reps__identities') }} as people on owners.owner_id = people.rep_id
    where happened.happened_at is not null
)

select
    attributed.lead_id,
    attributed.moment,
    attributed.happened_at,
    {{ business_date('attributed.happened_at', 'context.business_timezone') }} as date_day,
    attributed.credited_rep_id as rep_id,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    attributed.is_untouched,
    attributed.follow_up_minutes,
    attributed.follow_up_business_minutes,
    attributed.response_minutes,
    attributed.response_business_minutes
from attributed
cross join context
{{ join_rep_version('attributed.credited_rep_id', 'attributed.happened_at') }}
