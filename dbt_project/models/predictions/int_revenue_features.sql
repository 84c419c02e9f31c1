-- The open pipeline as it stood at the start of each as-of day, and beside it, as the label, each deal's outcome.
with context as (select * from {{ ref('int_run_context') }}),

instants as (
    select distinct as_of_date from {{ ref('int_feature_instants') }}
    where instant_kind in ('run', 'same_day')
),

deals as (select * from {{ ref('fct_opportunities') }})

select
    instants.as_of_date,
    pipeline.opportunity_id,
    pipeline.stage,
    pipeline.amount_reporting,
    pipeline.close_date,
    greatest({{ days_between('deals.created_date', 'instants.as_of_date') }}, 0) as age_days,
    pipeline.rep_id,
    pipeline.team_id,
    case when deals.is_won and deals.is_counted and deals.closed_date between instants.as_of_date and context.as_of_date then deals.closed_date end
        as outcome_won_date,
    case
        when deals.is_won and deals.is_counted and deals.closed_date between instants.as_of_date and context.as_of_date then deals.amount_reporting
    end
        as outcome_amount_reporting
from instants
cross join context
-- A day of fct_pipeline_daily shows the state at its end, so the day before is what the as-of day began with.
inner join {{ ref('fct_pipeline_daily') }} as pipeline on pipeline.date_day = {{ add_days('instants.as_of_date', -1) }}
inner join deals on pipeline.opportunity_id = deals.opportunity_id
