-- One row per measured duration, with the rep, team and territory of the event that ended it and the day it counts for.
with deals as (
    select * from {{ ref('fct_opportunities') }}
    where is_counted and is_closed and data_error is null
),

leads as (
    select
        leads.*,
        rep_versions.team_id,
        rep_versions.territory_id,
        coalesce(leads.first_touch_rep_id, leads.assigned_rep_id) as follow_up_rep_id
    from {{ ref('fct_leads') }} as leads
    {{ join_rep_version('coalesce(leads.first_touch_rep_id, leads.assigned_rep_id)', 'leads.created_at') }}
    where leads.is_counted
),

durations as (
    select
        rep_id,
        team_id,
        territory_id,
        closed_date as date_day,
        'sales_cycle_days' as duration_name,
        cast(days_lead_to_close as decimal(18, 4)) as duration_value
    from deals
    where is_won
    union all
    select
        rep_id,
        team_id,
        territory_id,
        closed_date,
        'sales_cycle_won_and_lost_days',
        days_lead_to_close
    from deals
    union all
    select
        rep_id,
        team_id,
        territory_id,
        closed_date,
        'deal_cycle_days',
        days_opportunity_to_close
    from deals
    where is_won
    union all
    select
        rep_id,
        team_id,
        territory_id,
        closed_date,
        'deal_cycle_won_and_lost_days',
        days_opportunity_to_close
    from deals
    {%- for name, column in {
        "lead_follow_up_minutes": "follow_up_minutes", "lead_follow_up_business_minutes": "follow_up_business_minutes",
        "lead_response_minutes": "response_minutes", "lead_response_business_minutes": "response_business_minutes"
    }.items() %}
        union all
        select
            follow_up_rep_id,
            team_id,
            territory_id,
            created_date,
            '{{ name }}',
            {{ column }}
        from leads
    {%- endfor %}
)

select
    rep_id,
    coalesce(team_id, 'unassigned') as team_id,
    coalesce(territory_id, 'unassigned') as territory_id,
    date_day,
    duration_name,
    duration_value
from durations
where duration_value is not null
