-- What has become of each deal, and the day that it counts on: the CRM's close date, with the exceptions below. Positions go by the states instead.
with context as (select * from {{ ref('int_run_context') }}),

deals as (select * from {{ ref('int_opportunities') }}),

states as (select * from {{ ref('int_opportunities__states') }}),

-- The run of states that the deal is in now: since when it has been open, won or lost.
last_other as (
    select
        states.opportunity_id,
        max(case when states.category <> deals.category then states.state_number end) as state_number
    from states
    inner join deals on states.opportunity_id = deals.opportunity_id
    group by states.opportunity_id
),

reached as (
    select
        states.opportunity_id,
        min(case when states.state_number > coalesce(last_other.state_number, 0) then states.state_number end) as first_number,
        max(case when states.category = 'open' then states.stage_order end) as furthest_open_stage_order,
        max(case when states.category = 'open' and states.is_qualified_pipeline then 1 else 0 end) = 1 as has_reached_qualified,
        {{ arg_max('states.amount', 'states.state_number', "states.category = 'open' and states.amount is not null") }} as last_open_amount
    from states
    left join last_other on states.opportunity_id = last_other.opportunity_id
    group by states.opportunity_id
),

won_order as (
    select min(stage_order) as stage_order from {{ ref('int_stages') }}
    where category = 'won'
),

-- When somebody marked it closed; NULL where only the record says that it is.
marked as (
    select
        deals.*,
        coalesce(deals.category in ('won', 'lost'), false) as is_closed,
        coalesce(deals.stated_closed_at, case when first_states.basis = 'history' then first_states.valid_from end) as marked_at,
        case when first_states.basis = 'history' then first_states.amount end as marked_amount,
        case
            when deals.stated_closed_at is not null then 'stated'
            when first_states.basis = 'history' then 'history'
            else 'record'
        end as closing_basis,
        reached.furthest_open_stage_order,
        reached.has_reached_qualified,
        reached.last_open_amount
    from deals
    left join reached on deals.opportunity_id = reached.opportunity_id
    left join states as first_states on reached.opportunity_id = first_states.opportunity_id and reached.first_number = first_states.state_number
),

dated as (
    select
        marked.*,
        {{ business_date('marked.marked_at', 'context.business_timezone') }} as marked_date,
        case
            when not marked.is_closed then null
            when marked.marked_at is null then marked.close_date
            when marked.close_date is null or marked.closing_basis = 'stated' or context.booking_date = 'stage_change'
                then {{ business_date('marked.marked_at', 'context.business_timezone') }}
            -- The CRM dates a closing by the day in UTC, which in the evening is not yet, or no longer, the business's.
            when marked.close_date = cast(marked.marked_at as date) then {{ business_date('marked.marked_at', 'context.business_timezone') }}
            -- Nobody closes a deal tomorrow: what was typed in counts on the day it was marked, for good.
            when marked.close_date > {{ add_days(business_date('marked.marked_at', 'context.business_timezone'), 1) }}
                then {{ business_date('marked.marked_at', 'context.business_timezone') }}
            else marked.close_date
        end as closed_date
    from marked
    cross join context
)

select
    dated.opportunity_id,
    dated.is_closed,
    coalesce(dated.category = 'won', false) as is_won,
    coalesce(dated.category = 'lost', false) as is_lost,
    case when dated.is_closed then dated.marked_at end as marked_closed_at,
    case when dated.is_closed then dated.closing_basis end as closing_basis,
    dated.closed_date,
    -- The instant is known only if the deal counts on the day that it was marked.
    case when dated.is_closed and dated.marked_date = dated.closed_date then dated.marked_at end as closed_at,
    case when dated.is_closed then {{ days_between('dated.closed_date', 'dated.marked_date') }} end as days_marked_late,
    case when dated.is_closed then dated.marked_amount end as amount_at_close,
    case
        when dated.category = 'won' then won_order.stage_order
        when dated.category = 'open' then greatest(dated.stage_order, coalesce(dated.furthest_open_stage_order, 0))
        else dated.furthest_open_stage_order
    end as furthest_stage_order,
    -- A win has reached every stage.
    coalesce(dated.category = 'won', false) or coalesce(dated.has_reached_qualified, false)
    or (coalesce(dated.category = 'open', false) and coalesce(dated.is_qualified_pipeline, false)) as has_reached_qualified,
    -- An export knows no earlier amount; a zero there says that none was kept.
    case when dated.category = 'lost' then coalesce(dated.last_open_amount, nullif(dated.amount, 0)) end as lost_amount
from dated
cross join won_order
