-- One row per rep, team, territory and day: every additive measure, attributed to who held the role at the event.
with context as (select * from {{ ref('int_run_context') }}),

leads as (
    select * from {{ ref('fct_leads') }}
    where is_counted
),

deals as (
    select * from {{ ref('fct_opportunities') }}
    where is_counted
),

pushes as (
    select
        states.opportunity_id,
        states.valid_from,
        states.close_date > lag(states.close_date) over (partition by states.opportunity_id order by states.state_number asc nulls last) as is_push
    from {{ ref('int_opportunities__states') }} as states
    inner join deals on states.opportunity_id = deals.opportunity_id
),

quotas as (
    select
        quotas.rep_id,
        {{ utc_time('quotas.period_start', 'context.business_timezone') }} as happened_at,
        quotas.quota_amount
    from {{ ref('int_quotas') }} as quotas
    cross join context
),

-- Events whose fact does not carry the team: it is looked up at the instant.
instants as (
    select
        created_by_id as rep_id,
        created_at as happened_at,
        'leads_generated' as measure,
        cast(1 as decimal(28, 2)) as quantity
    from leads
    union all
    select
        coalesce(first_touch_rep_id, assigned_rep_id),
        created_at,
        case when is_untouched then 'leads_untouched' else 'leads_touched' end,
        1
    from leads
    union all
    select
        assigned_rep_id,
        qualified_at,
        'leads_qualified',
        1
    from leads
    where qualified_at is not null
    union all
    select
        assigned_rep_id,
        converted_at,
        'leads_converted',
        1
    from leads
    where converted_at is not null
    union all
    select
        assigned_rep_id,
        disqualified_at,
        'leads_disqualified',
        1
    from leads
    where disqualified_at is not null
    union all
    select
        created_rep_id,
        created_at,
        'deals_created',
        1
    from deals
    union all
    select
        created_rep_id,
        created_at,
        'deals_created_won',
        1
    from deals
    where is_won
    union all
    select
        created_rep_id,
        created_at,
        'deals_created_amount',
        case when is_lost then lost_amount_reporting else amount_reporting end
    from deals
    union all
    select
        created_rep_id,
        created_at,
        'deals_created_won_amount',
        amount_reporting
    from deals
    where is_won
    union all
    select
        owners.owner_id,
        pushes.valid_from,
        'close_date_pushes',
        1
    from pushes
    inner join {{ ref('int_opportunities__owners') }} as owners
        on pushes.opportunity_id = owners.opportunity_id and pushes.valid_from >= owners.valid_from and pushes.valid_from < owners.valid_to
    where pushes.is_push
    union all
    select
        rep_id,
        entered_at,
        'prospect_data_entries',
        entry_count
    from {{ ref('int_prospects__data_entries') }}
    union all
    select
        rep_id,
        happened_at,
        'quota_amount',
        quota_amount
    from quotas
),

placed as (
    select
        instants.rep_id,
        rep_versions.team_id,
        rep_versions.territory_id,
        {{ business_date('instants.happened_at', 'context.business_timezone') }} as date_day,
        instants.measure,
        instants.quantity
    from instants
    cross join context
    {{ join_rep_version('instants.rep_id', 'instants.happened_at') }}
    union all
    {%- for measure, quantity, condition in [
        ("deals_closed", "1", "is_won"),
        ("bookings", "amount_reporting", "is_won"),
        ("deals_lost", "1", "is_lost"),
        ("lost_amount", "lost_amount_reporting", "is_lost"),
        ("lost_without_amount", "1", "is_lost and lost_amount_reporting is null"),
        ("deals_lost_reached", "1", "is_lost and has_reached_qualified"),
        ("lost_reached_amount", "lost_amount_reporting", "is_lost and has_reached_qualified")
    ] %}
        select
            rep_id,
            team_id,
            territory_id,
            closed_date,
            '{{ measure }}',
            {{ quantity }}
        from deals
        where {{ condition }}
        union all
    {%- endfor %}
    {%- for measure, quantity in [
        ("open_deals", "1"), ("open_pipeline", "amount_reporting"),
        ("weighted_pipeline", "cast(round(amount_reporting * probability, 2) as decimal(28, 2))")
    ] %}
        select
            rep_id,
            team_id,
            territory_id,
            close_date,
            '{{ measure }}',
            {{ quantity }}
        from deals
        where not is_closed and close_date is not null
        union all
    {%- endfor %}
    {%- for measure, quantity, condition in [
        ("calls_placed", "count(*)", "activity_type = 'call' and direction = 'outbound'"),
        ("calls_connected", "count(*)", "activity_type = 'call' and direction = 'outbound' and is_connected"),
        ("phone_seconds", "sum(talk_seconds)", "activity_type = 'call'"),
        ("emails_sent", "count(*)", "activity_type = 'email'"),
        ("meetings_held", "count(*)", "activity_type = 'meeting'"),
        ("meeting_minutes", "sum(duration_minutes)", "activity_type = 'meeting'"),
        ("tasks_completed", "count(*)", "activity_type = 'task'")
    ] %}
        select
            rep_id,
            team_id,
            territory_id,
            occurred_date,
            '{{ measure }}',
            {{ quantity }}
        from {{ ref('fct_activities') }}
        where is_counted and {{ condition }}
        group by rep_id, team_id, territory_id, occurred_date
        union all
    {%- endfor %}
    select
        rep_id,
        team_id,
        territory_id,
        invoice_date,
        'invoiced',
        amount_reporting
    from {{ ref('fct_invoices') }}
    where is_counted
    union all
    select
        staffing.rep_id,
        staffing.team_id,
        staffing.territory_id,
        staffing.date_day,
        'available_minutes',
        staffing.available_minutes
    from {{ ref('int_kpi__staffing') }} as staffing
    cross join context
    where staffing.date_day <= context.as_of_date
    union all
    -- Only of people whose available time is known, so that numerator and denominator of selling_time_share are about the same people.
    select
        activities.rep_id,
        activities.team_id,
        activities.territory_id,
        activities.occurred_date,
        'selling_seconds',
        sum(case activities.activity_type
            when 'call' then activities.talk_seconds
            when 'meeting' then activities.duration_minutes * 60
            when 'email' then context.minutes_per_email * 60
        end)
    from {{ ref('fct_activities') }} as activities
    cross join context
    where activities.is_counted and activities.rep_id in (select staffing.rep_id from {{ ref('int_kpi__staffing') }} as staffing)
    group by activities.rep_id, activities.team_id, activities.territory_id, activities.occurred_date
    union all
    select
        rep_id,
        team_id,
        territory_id,
        payment_date,
        'collected',
        amount_reporting
    from {{ ref('fct_payments') }}
    where is_counted
)

select
    rep_id,
    coalesce(team_id, 'unassigned') as team_id,
    coalesce(territory_id, 'unassigned') as territory_id,
    date_day
    {%- for measure, kind in kpi_measures().items() %}
        ,
        {%- if measure == "quota_amount" %}
            cast(sum(case when measure = '{{ measure }}' then quantity end) as decimal(28, 2)) as {{ measure }}
        {%- else %}
            cast(
                coalesce(sum(case when measure = '{{ measure }}' then quantity end), 0) as {{ "decimal(28, 2)" if kind == "money" else "bigint" }}
            ) as {{ measure }}
        {%- endif %}
    {%- endfor %}
from placed
where date_day is not null
group by rep_id, coalesce(team_id, 'unassigned'), coalesce(territory_id, 'unassigned'), date_day
