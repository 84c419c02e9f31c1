with context as (select * from {{ ref('int_run_context') }}),

bounds as (
    select
        cast('{{ var("calendar_first_day") }}' as date) as first_day,
        {{ add_days('as_of_date', 1100) }} as last_day
    from context
),

spine as ({{ date_spine('bounds', 'first_day', 'last_day') }}),

days as (
    select
        spine.date_day,
        cast(date_trunc('month', spine.date_day) as date) as month_start,
        {{ fiscal_month_index('spine.date_day', 'context.fiscal_year_start_month') }} as fiscal_month_index,
        case {{ iso_weekday('spine.date_day') }}
            when 1 then 'mon' when 2 then 'tue' when 3 then 'wed' when 4 then 'thu' when 5 then 'fri' when 6 then 'sat' else 'sun'
        end as weekday,
        holidays.holiday_name,
        context.business_timezone,
        context.workdays,
        {{ local_timestamp('spine.date_day', 'context.workday_start') }} as local_opening,
        {{ local_timestamp('spine.date_day', 'context.workday_end') }} as local_closing
    from spine
    cross join context
    left join {{ ref('stg_settings__holidays') }} as holidays on spine.date_day = holidays.holiday_date
),

business as (
    select
        *,
        concat(',', workdays, ',') like concat('%,', weekday, ',%') and holiday_name is null as is_business_day,
        {{ utc_time('local_opening', 'business_timezone') }} as opens_at,
        {{ utc_time('local_closing', 'business_timezone') }} as closes_at
    from days
)

select
    date_day,
    weekday,
    cast(date_trunc('week', date_day) as date) as week_start,
    month_start,
    {{ fiscal_quarter_start('date_day', 'fiscal_month_index') }} as quarter_start,
    {{ fiscal_year_start('date_day', 'fiscal_month_index') }} as fiscal_year_start,
    cast(extract(year from {{ fiscal_year_start('date_day', 'fiscal_month_index') }}) as integer) as fiscal_year,
    cast(floor(fiscal_month_index / 3) + 1 as integer) as fiscal_quarter,
    is_business_day,
    holiday_name,
    {{ utc_time('date_day', 'business_timezone') }} as starts_at,
    {{ utc_time(add_days('date_day', 1), 'business_timezone') }} as ends_at,
    opens_at,
    closes_at,
    case when is_business_day then {{ seconds_between('opens_at', 'closes_at') }} else 0 end as open_seconds,
    cast(coalesce(sum(case when is_business_day then {{ seconds_between('opens_at', 'closes_at') }} else 0 end) over (
        order by date_day nulls last rows between unbounded preceding and 1 preceding
    ), 0) as bigint) as open_seconds_before
from business
