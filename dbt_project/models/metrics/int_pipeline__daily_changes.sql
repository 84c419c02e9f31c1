-- What moved the open pipeline: one row per deal and day on which it entered, left or changed, with the state of the evening before beside it.
with context as (select * from {{ ref('int_run_context') }}),

daily as (
    select
        opportunity_id,
        date_day,
        close_date,
        team_id,
        coalesce(amount, 0) as amount,
        currency,
        coalesce(amount_reporting, 0) as amount_reporting,
        lag(date_day) over by_day as previous_day,
        lead(date_day) over by_day as next_day,
        lag(close_date) over by_day as previous_close_date,
        lag(team_id) over by_day as previous_team_id,
        lag(coalesce(amount, 0)) over by_day as previous_amount,
        lag(currency) over by_day as previous_currency,
        lag(coalesce(amount_reporting, 0)) over by_day as previous_amount_reporting
    from {{ ref('fct_pipeline_daily') }}
    window by_day as (partition by opportunity_id order by date_day asc nulls last)
),

closings as (
    select
        opportunity_id,
        valid_from_date,
        category
    from {{ ref('int_opportunities__states') }}
    qualify row_number() over (partition by opportunity_id, valid_from_date order by state_number desc nulls last) = 1
),

entries as (
    select
        *,
        previous_day is null as is_first,
        coalesce(previous_day = {{ add_days('date_day', -1) }}, false) as was_open
    from daily
),

exits as (
    select
        daily.*,
        {{ add_days('daily.date_day', 1) }} as exit_day
    from daily
    cross join context
    where daily.date_day < context.as_of_date and (daily.next_day is null or daily.next_day > {{ add_days('daily.date_day', 1) }})
)

select
    entries.opportunity_id,
    entries.date_day,
    case when entries.was_open then 'change' when entries.is_first then 'created' else 'reopened' end as change_kind,
    case when entries.was_open then entries.previous_close_date end as previous_close_date,
    case when entries.was_open then entries.previous_team_id end as previous_team_id,
    case when entries.was_open then entries.previous_amount_reporting else 0 end as previous_amount_reporting,
    entries.close_date,
    entries.team_id,
    entries.amount_reporting,
    -- At today's rate the amount of the evening before; what is left of the difference is the deal's own.
    case when entries.was_open then coalesce({{ convert_amount('entries.previous_amount', 'rates.rate', 'rates.reporting_rate') }}, 0) end
        as revalued_amount_reporting
from entries
{{ join_rate('entries.previous_currency', 'entries.date_day') }}
where
    not entries.was_open
    or entries.close_date is distinct from entries.previous_close_date
    or entries.team_id <> entries.previous_team_id
    or entries.amount_reporting <> entries.previous_amount_reporting
union all
select
    exits.opportunity_id,
    exits.exit_day,
    coalesce(case when closings.category in ('won', 'lost') then closings.category end, 'deleted'),
    exits.close_date,
    exits.team_id,
    exits.amount_reporting,
    null,
    null,
    0,
    null
from exits
left join closings on exits.opportunity_id = closings.opportunity_id and exits.exit_day = closings.valid_from_date
