-- A quota counts in the periods that its first day lies in. Who never held a role in sales has none, as in kpi_rep_period.
with sales_people as (
    select distinct rep_id
    from {{ ref('int_reps__versions') }}
    where role <> 'other'
)

select
    quotas.rep_id,
    periods.period_grain,
    periods.period_start,
    max(periods.period_end) as period_end,
    cast(sum(quotas.quota_amount) as decimal(28, 2)) as quota_amount,
    max(quotas.currency) as currency
from {{ ref('int_quotas') }} as quotas
inner join sales_people on quotas.rep_id = sales_people.rep_id
inner join {{ ref('int_calendar__periods') }} as periods on quotas.period_start = periods.date_day
where periods.period_grain in ('month', 'quarter', 'year')
group by quotas.rep_id, periods.period_grain, periods.period_start
