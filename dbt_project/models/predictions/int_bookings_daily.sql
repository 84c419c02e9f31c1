-- Won amounts as the KPI `bookings` counts them, per day, rep and team.
with context as (select * from {{ ref('int_run_context') }})

select
    deals.closed_date as won_date,
    deals.rep_id,
    deals.team_id,
    sum(deals.amount_reporting) as amount_reporting,
    -- In whole units, so that the sum is exact and its order does not matter.
    cast(sum(cast(deals.amount_reporting as decimal(18, 0)) * cast(deals.amount_reporting as decimal(18, 0))) as double) as squared_amount,
    count(*) as deals
from {{ ref('fct_opportunities') }} as deals
cross join context
where deals.is_won and deals.is_counted and deals.closed_date <= context.as_of_date and deals.amount_reporting is not null
group by deals.closed_date, deals.rep_id, deals.team_id
