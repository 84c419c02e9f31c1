with context as (select * from {{ ref('int_run_context') }}),

-- A day shows the state at its end.
day_ends as (
    select *
    from {{ ref('int_opportunities__states') }}
    qualify row_number() over (partition by opportunity_id, valid_from_date order by state_number desc nulls last) = 1
),

ranges as (
    select
        *,
        lead(valid_from_date) over (partition by opportunity_id order by state_number asc nulls last) as next_date
    from day_ends
),

deletions as (
    select
        deals.opportunity_id,
        {{ business_date('coalesce(deals.deleted_at, deals.known_from)', 'context.business_timezone') }} as deleted_date
    from {{ ref('int_opportunities') }} as deals
    cross join context
    where deals.is_deleted
),

daily as (
    select
        ranges.*,
        days.date_day,
        days.ends_at
    from ranges
    cross join context
    left join deletions on ranges.opportunity_id = deletions.opportunity_id
    inner join {{ ref('int_calendar__days') }} as days
        on
            ranges.valid_from_date <= days.date_day
            and days.date_day < least(
                coalesce(ranges.next_date, date '9999-12-31'),
                coalesce(deletions.deleted_date, date '9999-12-31'),
                {{ add_days('context.as_of_date', 1) }}
            )
    where ranges.category = 'open'
)

select
    daily.opportunity_id,
    daily.date_day,
    daily.stage,
    daily.stage_order,
    daily.is_qualified_pipeline,
    daily.close_date,
    daily.amount,
    daily.currency,
    {{ convert_amount('daily.amount', 'rates.rate', 'rates.reporting_rate') }} as amount_reporting,
    daily.probability,
    daily.forecast_category,
    daily.basis,
    deals.is_counted,
    owners.owner_id as rep_id,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id
from daily
inner join {{ ref('fct_opportunities') }} as deals on daily.opportunity_id = deals.opportunity_id
{{ join_owner('daily.opportunity_id', 'daily.ends_at', just_before=true) }}
{{ join_rep_version('owners.owner_id', 'daily.ends_at', just_before=true) }}
{{ join_rate('daily.currency', 'daily.date_day') }}
