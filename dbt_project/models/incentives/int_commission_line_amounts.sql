-- What each line pays before adjustments, unrounded: the sum of its slices, or a fixed amount, which is paid whole to each person credited and
-- taken back where the event is negative.
with slices as (
    select
        line_id,
        count(*) as slice_count,
        min(rate) as lowest_rate,
        max(rate) as highest_rate,
        sum(commission_unrounded) as commission_unrounded
    from {{ ref('commission_line_slices') }}
    group by line_id
),

reached as (
    select
        line_id,
        tier_number,
        rate
    from {{ ref('int_commission_tiers') }}
    where is_reached
),

-- Whose statement shows a line: that of the calendar month of its event.
periods as (
    select * from {{ ref('int_calendar__periods') }}
    where period_grain = 'month'
),

priced as (
    select
        attainment.*,
        coalesce(plans.payout_currency, credits.credited_currency) as currency,
        periods.period_grain,
        periods.period_start,
        case
            when attainment.fixed_amount is null then slices.commission_unrounded
            when credits.event_amount < 0 then -attainment.fixed_amount
            else attainment.fixed_amount
        end as commission_unrounded,
        case when attainment.tier_basis = 'percent_of_quota' and attainment.quota_amount is null then 'no_quota' else 'calculated' end as line_status,
        coalesce(slices.slice_count, 0) as slice_count,
        slices.lowest_rate,
        slices.highest_rate,
        reached.tier_number as reached_tier_number,
        reached.rate as reached_tier_rate
    from {{ ref('int_attainment') }} as attainment
    inner join {{ ref('int_credits') }} as credits on attainment.credit_id = credits.credit_id
    inner join {{ ref('stg_plans__plans') }} as plans on attainment.plan_id = plans.plan_id
    left join periods on attainment.event_date = periods.date_day
    left join slices on attainment.line_id = slices.line_id
    left join reached on attainment.line_id = reached.line_id
)

select
    line_id,
    credit_id,
    rep_id,
    plan_id,
    plan_hash,
    component_id,
    period_grain,
    period_start,
    credited_amount,
    tier_scope,
    attainment_period_start,
    attainment_before_amount,
    attainment_after_amount,
    quota_amount,
    reached_tier_number,
    reached_tier_rate,
    slice_count,
    lowest_rate,
    highest_rate,
    fixed_amount,
    currency,
    {{ incentives_currency_exponent('currency') }} as currency_exponent,
    cast(coalesce(commission_unrounded, 0) as {{ incentives_unrounded_type() }}) as commission_unrounded,
    line_status
from priced
