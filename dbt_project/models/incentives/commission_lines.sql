-- What a line pays and what adjusts it, added up and rounded: once, here.
with adjustments as (
    select
        line_id,
        sum(adjustment_amount) as adjustment_amount
    from {{ ref('int_commission_adjustments__by_line') }}
    group by line_id
),

rounded as (
    select
        amounts.*,
        {{ incentives_to_minor_units('(amounts.commission_unrounded + coalesce(adjustments.adjustment_amount, 0))', 'amounts.currency_exponent') }}
            as commission_minor_units
    from {{ ref('int_commission_line_amounts') }} as amounts
    left join adjustments on amounts.line_id = adjustments.line_id
)

select
    rounded.line_id,
    rounded.credit_id,
    credits.event_id,
    credits.measure,
    credits.record_id,
    credits.opportunity_id,
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
    credits.event_at,
    credits.event_date,
    rounded.period_grain,
    rounded.period_start,
    credits.event_amount,
    rounded.credited_amount,
    credits.credited_currency,
    rounded.tier_scope as attainment_scope,
    rounded.attainment_period_start,
    rounded.attainment_before_amount,
    rounded.attainment_after_amount,
    rounded.quota_amount,
    rounded.reached_tier_number,
    rounded.reached_tier_rate,
    rounded.slice_count,
    rounded.lowest_rate,
    rounded.highest_rate,
    rounded.fixed_amount,
    rounded.commission_minor_units,
    rounded.currency_exponent,
    {{ incentives_from_minor_units('rounded.commission_minor_units', 'rounded.currency_exponent') }} as commission_amount,
    rounded.currency,
    rounded.line_status,
    credits.load_id,
    credits.known_from
from rounded
inner join {{ ref('int_credits') }} as credits on rounded.credit_id = credits.credit_id
inner join {{ ref('stg_plans__plans') }} as plans on rounded.plan_id = plans.plan_id
inner join {{ ref('stg_plans__components') }} as components
    on rounded.plan_id = components.plan_id and rounded.component_id = components.component_id
