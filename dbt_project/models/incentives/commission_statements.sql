-- Every statement is an estimate until its period is closed into the ledger.
with lines as (
    select
        rep_id,
        period_grain,
        period_start,
        currency,
        max(currency_exponent) as currency_exponent,
        count(*) as line_count,
        count(distinct opportunity_id) as deal_count,
        count(distinct plan_id) as plan_count,
        count(*) filter (where line_status = 'no_quota') as lines_without_quota,
        cast(sum(commission_minor_units) as bigint) as commission_minor_units
    from {{ ref('commission_lines') }}
    group by rep_id, period_grain, period_start, currency
)

select
    concat(lines.rep_id, '/', cast(lines.period_start as {{ text_type() }}), '/', lines.currency) as statement_id,
    lines.rep_id,
    reps.rep_name,
    lines.period_grain,
    lines.period_start,
    periods.period_end,
    'estimate' as statement_status,
    lines.line_count,
    lines.deal_count,
    lines.plan_count,
    lines.lines_without_quota,
    lines.commission_minor_units,
    lines.currency_exponent,
    {{ incentives_from_minor_units('lines.commission_minor_units', 'lines.currency_exponent') }} as commission_amount,
    lines.currency,
    context.as_of
from lines
inner join {{ ref('dim_reps') }} as reps on lines.rep_id = reps.rep_id
left join {{ ref('int_calendar__periods') }} as periods
    on lines.period_grain = periods.period_grain and lines.period_start = periods.date_day
cross join {{ ref('int_run_context') }} as context
