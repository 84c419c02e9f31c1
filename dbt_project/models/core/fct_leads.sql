{%- set own = own_fields(ref('int_leads')) -%}
with context as (select * from {{ ref('int_run_context') }}),

proposal as (
    select min(stage_order) as stage_order from {{ ref('int_stages') }}
    where stage = 'proposal'
),

deals as (
    select
        deals.opportunity_id,
        outcomes.is_won and not deals.is_deleted as is_won,
        outcomes.closed_at,
        outcomes.closed_date,
        not deals.is_deleted and coalesce(outcomes.furthest_stage_order >= proposal.stage_order, false) as has_proposal
    from {{ ref('int_opportunities') }} as deals
    inner join {{ ref('int_opportunities__outcomes') }} as outcomes on deals.opportunity_id = outcomes.opportunity_id
    cross join proposal
)

select
    leads.lead_id,
    leads.created_at,
    leads.created_date,
    leads.created_by_id,
    leads.lead_source,
    leads.campaign_id,
    leads.process,
    leads.segment,
    leads.company,
    leads.industry,
    leads.country,
    leads.employee_count,
    leads.web_visits,
    {{ field_names(own, 'leads') }}
    leads.owner_id,
    leads.queue_name,
    leads.status,
    milestones.assigned_at,
    milestones.assigned_rep_id,
    touches.first_touch_at,
    touches.first_touch_type,
    touches.first_touch_rep_id,
    milestones.qualified_at,
    milestones.converted_at,
    milestones.disqualified_at,
    milestones.nurtured_at,
    leads.opportunity_id,
    milestones.is_qualified,
    leads.is_converted,
    milestones.is_disqualified,
    coalesce(deals.has_proposal, false) as has_proposal,
    coalesce(deals.is_won, false) as is_won,
    case when deals.is_won then coalesce(deals.closed_at, {{ utc_time('deals.closed_date', 'context.business_timezone') }}) end as won_at,
    response_times.follow_up_minutes,
    response_times.follow_up_business_minutes,
    response_times.response_minutes,
    response_times.response_business_minutes,
    touches.first_touch_at is null as is_untouched,
    case
        when touches.is_touched_before_creation then 'touched_before_creation'
        when milestones.converted_at < leads.created_at and leads.source <> 'files' then 'converted_before_creation'
        when deals.closed_at < leads.created_at or deals.closed_date < leads.created_date then 'closed_before_creation'
        when deals.closed_at < touches.first_touch_at and touches.first_touch_type = 'stated' then 'closed_before_first_contact'
    end as data_error,
    leads.disqualified_reason,
    leads.merged_into_id,
    leads.is_deleted,
    leads.is_counted,
    leads.source,
    leads.load_id,
    leads.known_from
from {{ ref('int_leads') }} as leads
cross join context
inner join {{ ref('int_leads__milestones') }} as milestones on leads.lead_id = milestones.lead_id
inner join {{ ref('int_leads__touches') }} as touches on leads.lead_id = touches.lead_id
inner join {{ ref('int_leads__response_times') }} as response_times on leads.lead_id = response_times.lead_id
left join deals on leads.opportunity_id = deals.opportunity_id
