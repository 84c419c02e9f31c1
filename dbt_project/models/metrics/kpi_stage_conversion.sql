-- By the furthest stage each deal reached: a jumped stage counts as reached, a step back does not undo one, a win has reached them all.
with stages as (
    select
        stage,
        min(stage_order) as stage_order
    from {{ ref('int_stages') }}
    where category = 'open'
    group by stage
),

deals as (
    select * from {{ ref('fct_opportunities') }}
    where is_counted and furthest_stage_order is not null
),

counted as (
    select
        deals.rep_id,
        deals.team_id,
        coalesce(deals.process, '(none)') as process,
        stages.stage,
        stages.stage_order,
        count(*) as deals_reached,
        count(case when not deals.is_closed and deals.stage_order = stages.stage_order then 1 end) as deals_still_in,
        count(case when deals.is_won or deals.furthest_stage_order > stages.stage_order then 1 end) as deals_advanced,
        count(case when deals.is_lost and deals.furthest_stage_order = stages.stage_order then 1 end) as deals_lost_there
    from deals
    inner join stages on deals.furthest_stage_order >= stages.stage_order
    group by deals.rep_id, deals.team_id, coalesce(deals.process, '(none)'), stages.stage, stages.stage_order
)

select
    rep_id,
    team_id,
    process,
    stage,
    stage_order,
    deals_reached,
    deals_still_in,
    deals_advanced,
    {{ rate_columns('stage_conversion_rate', 'deals_advanced', '(deals_advanced + deals_lost_there)') }}
from counted
