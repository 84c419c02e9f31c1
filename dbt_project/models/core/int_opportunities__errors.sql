-- What cannot be right about a deal. It stays in fct_opportunities; figures leave out what the error spoils (a deal without a known stage is neither
-- won nor lost, an amount without a rate adds nothing).
with context as (select * from {{ ref('int_run_context') }}),

deals as (
    select * from {{ ref('fct_opportunities') }}
    where is_counted
),

calendar as (
    select
        min(date_day) as first_day,
        max(date_day) as last_day
    from {{ ref('int_calendar__days') }}
),

found as (
    select
        opportunity_id,
        case when stage_name is null then 'stage_is_missing' else 'stage_is_unknown' end as rule,
        stage_name as stated_value
    from deals
    where stage is null
    union all
    select
        states.opportunity_id,
        'stage_of_history_is_unknown',
        min(states.stage_name)
    from {{ ref('int_opportunities__states') }} as states
    where states.basis = 'history' and states.stage is null and states.stage_name is not null
    group by states.opportunity_id
    union all
    select
        opportunity_id,
        'close_date_is_missing',
        null
    from deals
    where is_closed and closed_date is null
    union all
    select
        deals.opportunity_id,
        'close_date_is_out_of_range',
        cast(deals.close_date as {{ text_type() }})
    from deals
    cross join calendar
    where deals.close_date < calendar.first_day or deals.close_date > calendar.last_day
    union all
    select
        deals.opportunity_id,
        'exchange_rate_is_missing',
        {{ missing_rate('deals.currency', 'deals.rate_date') }}
    from deals
    cross join context
    where deals.amount is not null and deals.amount_reporting is null
    union all
    -- An open deal is in the pipeline of each day at that day's rate.
    select
        daily.opportunity_id,
        'exchange_rate_in_pipeline_is_missing',
        min({{ missing_rate('daily.currency', 'daily.date_day') }})
    from {{ ref('fct_pipeline_daily') }} as daily
    cross join context
    where daily.amount is not null and daily.amount_reporting is null
    group by daily.opportunity_id
    union all
    select
        opportunity_id,
        'field_does_not_fit',
        unfit_fields
    from {{ ref('int_opportunities') }}
    where unfit_fields is not null
    union all
    select
        opportunity_id,
        data_error,
        cast(closed_date as {{ text_type() }})
    from deals
    where data_error is not null
)

select
    'opportunity' as record_type,
    deals.opportunity_id as record_id,
    found.rule,
    found.stated_value,
    deals.source,
    deals.load_id,
    deals.known_from
from found
inner join deals on found.opportunity_id = deals.opportunity_id
