-- Talk time, meetings and the set minutes per e-mail, only of people whose available time is known, so that the numerator and the denominator of
-- selling_time_share are about the same people.
select
    activities.rep_id,
    activities.team_id,
    activities.territory_id,
    activities.occurred_date as date_day,
    sum(case activities.activity_type
        when 'call' then activities.talk_seconds
        when 'meeting' then activities.duration_minutes * 60
        when 'email' then context.minutes_per_email * 60
    end) as selling_seconds
from {{ ref('fct_activities') }} as activities
cross join {{ ref('int_run_context') }} as context
where activities.is_counted and activities.rep_id in (select staffing.rep_id from {{ ref('int_staffing') }} as staffing)
group by activities.rep_id, activities.team_id, activities.territory_id, activities.occurred_date
