-- What happened to each lead that counts, one row per moment, with the person it belongs to: who created it, who handled it first, whom it was
-- assigned to.
with context as (select * from {{ ref('int_run_context') }}),

moments as (
    {%- for moment in ['created', 'handled', 'qualified', 'converted', 'disqualified'] %}
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
            else leads.assigned_rep_id
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
)

select
    happened.lead_id,
    happened.moment,
    happened.happened_at,
    {{ business_date('happened.happened_at', 'context.business_timezone') }} as date_day,
    happened.rep_id,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    happened.is_untouched,
    happened.follow_up_minutes,
    happened.follow_up_business_minutes,
    happened.response_minutes,
    happened.response_business_minutes
from happened
cross join context
{{ join_rep_version('happened.rep_id', 'happened.happened_at') }}
where happened.happened_at is not null
