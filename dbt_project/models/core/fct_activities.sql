select
    activities.activity_id,
    activities.activity_type,
    activities.source,
    activities.occurred_at,
    {{ business_date('activities.occurred_at', 'context.business_timezone') }} as occurred_date,
    activities.touched_at,
    activities.rep_id,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    activities.direction,
    activities.is_connected,
    activities.talk_seconds,
    activities.duration_minutes,
    -- With its country code where the source's number could be read: the digits alone could be another country's number.
    case when activities.counterpart_phone like '+%' then activities.counterpart_phone else activities.counterpart_key end as counterpart_key,
    activities.matched_to,
    activities.match_method,
    activities.match_confidence,
    activities.lead_id,
    activities.contact_id,
    activities.account_id,
    activities.opportunity_id,
    activities.opportunity_match_method,
    activities.same_call_as,
    -- The one place that says which activity is one in the sense of the metrics.
    case
        when activities.rep_id is null or activities.occurred_at > context.as_of then false
        when activities.activity_type = 'call' then activities.is_held and activities.same_call_as is null
        when activities.activity_type = 'email' then activities.direction = 'outbound' and activities.is_held
        else activities.is_held
    end as is_counted
from {{ ref('int_activities__matched') }} as activities
cross join {{ ref('int_run_context') }} as context
{{ join_rep_version('activities.rep_id', 'activities.occurred_at') }}
