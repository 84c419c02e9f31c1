-- Each stated quota in the reporting currency, at the rate of its first day; of a period that has not begun, at the rate of the as-of day. Quotas are
-- stated in full; somebody employed for part of the period has the share of its business days. For the rep as placed when the period begins,
-- or when the employment does.
with context as (select * from {{ ref('int_run_context') }}),

people as (
    select * from {{ ref('int_reps__people') }}
    where record_kind = 'employee'
),

-- A feed states months, quarters or years: the shortest step between two quotas of a person says which; of somebody with one quota, anybody's.
steps as (
    select
        employee_id,
        {{ months_between('lag(period_start) over (partition by employee_id order by period_start asc nulls last)', 'period_start') }} as step_months
    from {{ ref('int_quotas__stated') }}
),

period_lengths as (
    select
        employee_id,
        coalesce(min(min(step_months)) over (partition by employee_id), min(min(step_months)) over (), 1) as months
    from steps
    where step_months is null or step_months in (1, 3, 6, 12)
    group by employee_id
),

quotas as (
    select
        people.rep_id,
        stated.period_start,
        {{ add_months('stated.period_start', 'period_lengths.months') }} as next_period_start,
        stated.quota_amount,
        coalesce(stated.currency, context.reporting_currency) as currency
    from {{ ref('int_quotas__stated') }} as stated
    cross join context
    inner join period_lengths on stated.employee_id = period_lengths.employee_id
    inner join people on stated.employee_id = people.record_id
),

employments as (
    select * from {{ ref('int_reps__versions') }}
    where hired_date is not null
),

-- Business days of the period, and those that the person was employed on; nobody's, where no hire date is known.
employed as (
    select
        quotas.rep_id,
        quotas.period_start,
        count(distinct days.date_day) as business_days,
        count(distinct case when employments.rep_id is not null then days.date_day end) as employed_days,
        min(case when employments.rep_id is not null then days.starts_at end) as first_day_at
    from quotas
    inner join {{ ref('int_calendar__days') }} as days
        on quotas.period_start <= days.date_day and quotas.next_period_start > days.date_day and days.is_business_day
    left join employments
        on
            quotas.rep_id = employments.rep_id
            and employments.valid_from <= days.starts_at and employments.valid_to > days.starts_at
            and employments.hired_date <= days.date_day and days.date_day <= coalesce(employments.left_date, date '9999-12-31')
    where quotas.rep_id in (select employments.rep_id from employments)
    group by quotas.rep_id, quotas.period_start
),

converted as (
    select
        quotas.rep_id,
        quotas.period_start,
        coalesce(employed.first_day_at, {{ utc_time('quotas.period_start', 'context.business_timezone') }}) as placed_at,
        {{ in_reporting_currency('quotas.quota_amount', 'quotas.currency') }} as full_amount,
        employed.business_days,
        employed.employed_days
    from quotas
    cross join context
    left join employed on quotas.rep_id = employed.rep_id and quotas.period_start = employed.period_start
    {{ join_rate('quotas.currency', 'least(quotas.period_start, context.as_of_date)') }}
)

select
    converted.rep_id,
    converted.period_start,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    case
        when converted.employed_days is null or converted.employed_days = converted.business_days then converted.full_amount
        else {{ convert_amount('converted.full_amount', 'converted.business_days', 'converted.employed_days') }}
    end as quota_amount,
    converted.full_amount,
    context.reporting_currency as currency
from converted
cross join context
{{ join_rep_version('converted.rep_id', 'converted.placed_at') }}
