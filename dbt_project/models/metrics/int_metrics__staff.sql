-- Reps of each fiscal quarter by head, and by the share of its business days that they were employed, per entity.
with quarters as (
    select
        quarter_start,
        count(*) as business_days
    from {{ ref('int_calendar__days') }}
    where is_business_day
    group by quarter_start
)

select
    {{ entity_columns('staffing') }},
    'quarter' as period_grain,
    staffing.quarter_start as period_start,
    count(distinct staffing.rep_id) as rep_count,
    cast(sum(staffing.fte) as double) / max(quarters.business_days) as fte_count
from {{ ref('int_staffing') }} as staffing
inner join quarters on staffing.quarter_start = quarters.quarter_start
group by {{ entity_grouping('staffing', ['staffing.quarter_start']) }}
