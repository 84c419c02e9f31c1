-- What is left to sell of the quotas: the sum of what each rep still has to sell, for a rep over quota does not make up for another.
with by_rep as (
    select
        case when grouping(daily.team_id) = 0 then 'team' when grouping(daily.territory_id) = 0 then 'territory' else 'rep' end as entity_type,
        daily.team_id,
        daily.territory_id,
        daily.rep_id,
        periods.period_grain,
        periods.period_start,
        greatest(sum(daily.quota_amount) - coalesce(sum(daily.credited_amount), 0), 0) as remaining_quota
    from {{ ref('int_metrics__daily') }} as daily
    inner join {{ ref('int_calendar__periods') }} as periods on daily.date_day = periods.date_day
    where daily.rep_id is not null and periods.period_grain in ('month', 'quarter', 'year')
    group by grouping sets (
        (daily.rep_id, periods.period_grain, periods.period_start),
        (daily.team_id, daily.rep_id, periods.period_grain, periods.period_start),
        (daily.territory_id, daily.rep_id, periods.period_grain, periods.period_start)
    )
),

placed as (
    select
        entity_type,
        coalesce(team_id, territory_id, rep_id) as entity_id,
        period_grain,
        period_start,
        remaining_quota
    from by_rep
    union all
    select
        'company',
        'company',
        period_grain,
        period_start,
        remaining_quota
    from by_rep
    where entity_type = 'rep'
)

select
    entity_type,
    entity_id,
    period_grain,
    period_start,
    cast(sum(remaining_quota) as decimal(28, 2)) as remaining_quota
from placed
group by entity_type, entity_id, period_grain, period_start
