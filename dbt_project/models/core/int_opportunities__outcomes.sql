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
        min(case when states.state_number > coalesce(last_other.state_number, 0) then states.valid_from end) as in_category_since,
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
)

select
    deals.opportunity_id,
    coalesce(deals.category, 'open') in ('won', 'lost') as is_closed,
    coalesce(deals.category = 'won', false) as is_won,
    coalesce(deals.category = 'lost', false) as is_lost,
    case when deals.category in ('won', 'lost') then coalesce(deals.stated_closed_at, reached.in_category_since) end as closed_at,
    case
        when deals.category in ('won', 'lost') then coalesce(
            {{ business_date('coalesce(deals.stated_closed_at, reached.in_category_since)', 'context.business_timezone') }}, deals.close_date
        )
    end as closed_date,
    case
        when deals.category = 'won' then won_order.stage_order
        when deals.category = 'open' then greatest(deals.stage_order, coalesce(reached.furthest_open_stage_order, 0))
        else reached.furthest_open_stage_order
    end as furthest_stage_order,
    -- A win has reached every stage.
    coalesce(deals.category = 'won', false) or coalesce(reached.has_reached_qualified, false)
    or (coalesce(deals.category = 'open', false) and coalesce(deals.is_qualified_pipeline, false)) as has_reached_qualified,
    -- An export knows no earlier amount; a zero there says that none was kept.
    case when deals.category = 'lost' then coalesce(reached.last_open_amount, nullif(deals.amount, 0)) end as lost_amount
from deals
cross join context
cross join won_order
left join reached on deals.opportunity_id = reached.opportunity_id
