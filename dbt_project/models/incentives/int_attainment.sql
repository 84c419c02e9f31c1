-- Where each credit lies in its rep's running total: event time, then credit id, whatever order the rows came in. Attainment stays a
-- pair of amounts (credited so far, quota); nothing is divided.
with counted as (
    select
        credits.*,
        periods.period_start as attainment_period_start,
        -- What adds up: the credits of a period, or one credit alone.
        coalesce(cast(periods.period_start as {{ text_type() }}), credits.credit_id) as attainment_key
    from {{ ref('int_credits_by_component') }} as credits
    left join {{ ref('int_calendar__periods') }} as periods
        on credits.event_date = periods.date_day and credits.tier_scope = periods.period_grain
)

select
    counted.line_id,
    counted.credit_id,
    counted.plan_id,
    counted.plan_hash,
    counted.component_id,
    counted.event_id,
    counted.rep_id,
    counted.event_at,
    counted.event_date,
    counted.credited_amount,
    counted.tier_basis,
    counted.tier_scope,
    counted.tier_closure,
    counted.fixed_amount,
    counted.attainment_period_start,
    case
        when counted.tier_basis = 'percent_of_quota' and quotas.quota_amount > 0 then quotas.quota_amount
    end as quota_amount,
    cast((sum(counted.credited_amount) over so_far) - counted.credited_amount as {{ incentives_amount_type() }}) as attainment_before_amount,
    cast(sum(counted.credited_amount) over so_far as {{ incentives_amount_type() }}) as attainment_after_amount
from counted
left join {{ ref('int_quotas__by_period') }} as quotas
    on
        counted.rep_id = quotas.rep_id
        and counted.tier_scope = quotas.period_grain
        and counted.attainment_period_start = quotas.period_start
window so_far as (
    partition by counted.plan_id, counted.component_id, counted.rep_id, counted.attainment_key
    order by counted.event_at asc nulls last, counted.credit_id asc nulls last
    rows between unbounded preceding and current row
)
