{%- set own = own_fields(ref('int_opportunities')) -%}
with context as (select * from {{ ref('int_run_context') }}),

deals as (
    select
        deals.*,
        {{ business_date('deals.created_at', 'context.business_timezone') }} as created_date,
        outcomes.is_closed,
        outcomes.is_won,
        outcomes.is_lost,
        outcomes.closed_at,
        outcomes.closed_date,
        outcomes.marked_closed_at,
        outcomes.closing_basis,
        outcomes.days_marked_late,
        outcomes.amount_at_close,
        outcomes.furthest_stage_order,
        outcomes.has_reached_qualified,
        outcomes.lost_amount,
        -- Whoever owned it when it was marked is credited, in the team of the day it counts on; of what is open or has no history, today's owner.
        case when outcomes.is_closed then coalesce(outcomes.marked_closed_at, context.as_of) else context.as_of end as owned_at,
        case
            when outcomes.is_closed
                then
                    coalesce(
                        outcomes.closed_at, {{ utc_time('outcomes.closed_date', 'context.business_timezone') }}, context.as_of
                    )
            else context.as_of
        end as credited_at,
        case when outcomes.is_closed then outcomes.closed_date else context.as_of_date end as rate_date
    from {{ ref('int_opportunities') }} as deals
    inner join {{ ref('int_opportunities__outcomes') }} as outcomes on deals.opportunity_id = outcomes.opportunity_id
    cross join context
),

credited as (
    select
        deals.*,
        owners.owner_id as rep_id,
        creation_owners.owner_id as created_rep_id,
        leads.created_at as lead_created_at,
        leads.created_date as lead_created_date,
        case
            when deals.closed_at < deals.created_at or deals.closed_date < deals.created_date then 'closed_before_creation'
            when deals.closed_at < leads.created_at or deals.closed_date < leads.created_date then 'closed_before_lead_creation'
            when deals.closed_at < leads.stated_first_touch_at then 'closed_before_first_contact'
            when deals.days_marked_late > context.booking_tolerance_days then 'closed_long_before_it_was_marked'
        end as data_error
    from deals
    cross join context
    {{ join_owner('deals.opportunity_id', 'deals.owned_at') }}
    {{ join_owner('deals.opportunity_id', 'deals.created_at', alias='creation_owners') }}
    left join {{ ref('int_leads') }} as leads on deals.lead_id = leads.lead_id
)

select
    credited.opportunity_id,
    credited.opportunity_name,
    credited.account_id,
    credited.contact_id,
    credited.product_id,
    credited.lead_id,
    credited.lead_source,
    credited.campaign_id,
    credited.opportunity_type,
    credited.record_type,
    credited.process,
    {{ field_names(own, 'credited') }}
    credited.created_at,
    credited.created_date,
    credited.created_by_id,
    credited.created_rep_id,
    credited.close_date,
    credited.closed_at,
    credited.closed_date,
    case when credited.is_won then credited.closed_date end as booked_date,
    credited.marked_closed_at,
    credited.days_marked_late,
    credited.closing_basis,
    cast(credited.amount_at_close as decimal(28, 2)) as amount_at_close,
    case
        when
            credited.closing_basis = 'history'
            then not coalesce(credited.amount = credited.amount_at_close, credited.amount is null and credited.amount_at_close is null)
    end as amended_after_close,
    credited.stage,
    credited.stage_name,
    credited.stage_order,
    credited.is_closed,
    credited.is_won,
    credited.is_lost,
    cast(credited.amount as decimal(28, 2)) as amount,
    credited.currency,
    {{ in_reporting_currency('credited.amount', 'credited.currency') }} as amount_reporting,
    {{ in_reporting_currency('credited.lost_amount', 'credited.currency') }} as lost_amount_reporting,
    credited.rate_date,
    rates.rate as currency_rate,
    credited.probability,
    credited.forecast_category,
    credited.owner_id,
    credited.rep_id,
    credited.credited_at,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    credited.competitor,
    credited.loss_reason,
    credited.discount_rate,
    credited.furthest_stage_order,
    credited.has_reached_qualified,
    case
        when credited.is_closed and credited.data_error is null then {{ days_between('credited.lead_created_date', 'credited.closed_date') }}
    end as days_lead_to_close,
    case
        when credited.is_closed and credited.data_error is null then {{ days_between('credited.created_date', 'credited.closed_date') }}
    end as days_opportunity_to_close,
    credited.data_error,
    credited.is_deleted,
    not credited.is_deleted and coalesce(credited.created_at <= context.as_of, true) as is_counted,
    credited.source,
    credited.load_id,
    credited.known_from
from credited
cross join context
{{ join_rep_version('credited.rep_id', 'credited.credited_at') }}
{{ join_rate('credited.currency', 'credited.rate_date') }}
