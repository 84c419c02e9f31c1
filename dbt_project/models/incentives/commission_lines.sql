-- One rounding per line. A fixed amount is paid whole to each person credited, and taken back where the event is negative.
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

priced as (
    select
        attainment.*,
        coalesce(plans.payout_currency, events.currency) as currency,
        case
            when attainment.fixed_amount is null then slices.commission_unrounded
            when events.event_amount < 0 then -attainment.fixed_amount
            else attainment.fixed_amount
        end as commission_unrounded,
        case when attainment.tier_basis = 'percent_of_quota' and attainment.quota_amount is null then 'no_quota' else 'calculated' end as line_status,
        slices.slice_count,
        slices.lowest_rate,
        slices.highest_rate,
        reached.tier_number as reached_tier_number,
        reached.rate as reached_tier_rate
    from {{ ref('int_attainment') }} as attainment
    inner join {{ ref('stg_plans__plans') }} as plans on attainment.plan_id = plans.plan_id
    inner join {{ ref('int_credit_events') }} as events on attainment.event_id = events.event_id
    left join slices on attainment.line_id = slices.line_id
    left join reached on attainment.line_id = reached.line_id
),

rounded as (
    select
        *,
        {{ incentives_currency_exponent('currency') }} as currency_exponent,
        coalesce({{ incentives_to_minor_units('commission_unrounded', incentives_currency_exponent('currency')) }}, 0) as commission_minor_units
    from priced
)

select
    rounded.line_id,
    rounded.credit_id,
    rounded.event_id,
    events.measure,
    events.record_id,
    events.opportunity_id,
    rounded.rep_id,
    rounded.plan_id,
    plans.plan_name,
    plans.plan_file,
    rounded.plan_hash,
    rounded.component_id,
    components.component_name,
    components.component_kind,
    credits.crediting_rule_id,
    credits.credit_weight,
    credits.total_weight,
    rounded.event_at,
    rounded.event_date,
    periods.period_start,
    events.event_amount,
    rounded.credited_amount,
    events.currency as credited_currency,
    rounded.tier_scope as attainment_scope,
    rounded.attainment_period_start,
    rounded.attainment_before_amount,
    rounded.attainment_after_amount,
    rounded.quota_amount,
    rounded.reached_tier_number,
    rounded.reached_tier_rate,
    coalesce(rounded.slice_count, 0) as slice_count,
    rounded.lowest_rate,
    rounded.highest_rate,
    rounded.fixed_amount,
    rounded.commission_minor_units,
    rounded.currency_exponent,
    {{ incentives_from_minor_units('rounded.commission_minor_units', 'rounded.currency_exponent') }} as commission_amount,
    rounded.currency,
    rounded.line_status,
    events.load_id,
    events.known_from
from rounded
inner join {{ ref('int_credits') }} as credits on rounded.credit_id = credits.credit_id
inner join {{ ref('int_credit_events') }} as events on rounded.event_id = events.event_id
inner join {{ ref('stg_plans__plans') }} as plans on rounded.plan_id = plans.plan_id
inner join {{ ref('stg_plans__components') }} as components
    on rounded.plan_id = components.plan_id and rounded.component_id = components.component_id
left join {{ ref('int_calendar__periods') }} as periods on rounded.event_date = periods.date_day and periods.period_grain = 'month'
