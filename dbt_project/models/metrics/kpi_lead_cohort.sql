with context as (select * from {{ ref('int_run_context') }}),

leads as (
    select
        leads.*,
        coalesce(leads.lead_source, '(none)') as source_name,
        days.month_start as cohort_month,
        case
            when leads.is_disqualified then false
            when leads.is_converted then not coalesce(deals.is_closed or deals.is_deleted, false)
            else true
        end as is_open,
        -- Several leads may have become one deal: its amount counts once, for the first of them.
        case
            when leads.is_won and row_number() over (
                partition by leads.opportunity_id order by leads.created_at asc nulls last, leads.lead_id asc nulls last
            ) = 1 then deals.amount_reporting
            else 0
        end as won_amount
    from {{ ref('fct_leads') }} as leads
    inner join {{ ref('int_calendar__days') }} as days on leads.created_date = days.date_day
    left join {{ ref('fct_opportunities') }} as deals on leads.opportunity_id = deals.opportunity_id
    where leads.is_counted
),

cohorts as (
    select
        source_name as lead_source,
        cohort_month,
        count(*) as leads_created,
        count(case when is_qualified then 1 end) as leads_qualified,
        count(case when has_proposal then 1 end) as leads_with_proposal,
        count(case when is_won then 1 end) as leads_won,
        count(case when is_open then 1 end) as leads_open,
        count(case when is_untouched then 1 end) as leads_untouched,
        cast(coalesce(sum(won_amount), 0) as decimal(28, 2)) as won_amount
    from leads
    group by source_name, cohort_month
)

select
    cohorts.*,
    {{ days_between('cohorts.cohort_month', 'context.as_of_date') }} as cohort_age_days,
    {{ rate_columns('lead_qualification_rate_cohort', 'cohorts.leads_qualified', 'cohorts.leads_created') }},
    {{ rate_columns('proposal_rate_cohort', 'cohorts.leads_with_proposal', 'cohorts.leads_created') }},
    {{ rate_columns('deal_closing_rate_cohort', 'cohorts.leads_won', 'cohorts.leads_created') }},
    {{ rate_columns('share_still_open', 'cohorts.leads_open', 'cohorts.leads_created') }}
from cohorts
cross join context
