-- Who sold in which team on which business day, and whether they were there. One row per rep and business day of their employment up to the end of
-- the fiscal quarter of as-of, from the quarter of the first record on; only people whose hire date is known.
with context as (select * from {{ ref('int_run_context') }}),

first_records as (
    select min(first_date) as first_date
    from (
        select min(created_date) as first_date from {{ ref('fct_leads') }}
        union all
        select min(created_date) from {{ ref('fct_opportunities') }}
        union all
        select min(occurred_date) from {{ ref('fct_activities') }}
    ) as by_fact
),

days as (
    select days.*
    from {{ ref('int_calendar__days') }} as days
    cross join context
    cross join first_records
    where
        days.is_business_day
        and days.quarter_start <= context.as_of_date
        and {{ add_months('days.quarter_start', 3) }} > first_records.first_date
),

reps as (
    select *
    from {{ ref('int_reps__versions') }}
    where is_rep and hired_date is not null
),

absent as (
    select distinct
        absences.employee_id,
        days.date_day
    from {{ ref('int_absences') }} as absences
    inner join days on absences.start_date <= days.date_day and absences.end_date >= days.date_day
)

select
    reps.rep_id,
    days.date_day,
    days.quarter_start,
    reps.team_id,
    reps.territory_id,
    reps.fte,
    days.date_day <= context.as_of_date as is_past,
    cast(case when absent.date_day is null then days.open_seconds / 60 else 0 end as bigint) as available_minutes
from reps
cross join context
inner join days
    on
        reps.valid_from <= days.starts_at and reps.valid_to > days.starts_at
        and reps.hired_date <= days.date_day and days.date_day <= coalesce(reps.left_date, date '9999-12-31')
left join absent on reps.employee_id = absent.employee_id and days.date_day = absent.date_day
