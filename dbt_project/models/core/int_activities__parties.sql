-- Everybody outside whom an activity was with: one row per activity and address, number or record. A mail to three prospects touches each of them,
-- and so does a meeting.
select
    activities.activity_id,
    activities.rep_id,
    activities.occurred_at,
    activities.point_kind,
    activities.counterpart_key as party_key,
    activities.who_id,
    activities.what_id,
    true as is_first
from {{ ref('int_activities') }} as activities
union all
select
    activities.activity_id,
    activities.rep_id,
    activities.occurred_at,
    'email',
    recipients.address,
    null,
    null,
    false
from {{ ref('int_activities') }} as activities
inner join {{ ref('int_emails__outside_recipients') }} as recipients on activities.activity_id = concat('email:', recipients.email_id)
where activities.direction = 'outbound' and recipients.address <> activities.counterpart_key
union all
select
    activities.activity_id,
    activities.rep_id,
    activities.occurred_at,
    'record',
    participants.record_id,
    participants.record_id,
    null,
    false
from {{ ref('int_activities') }} as activities
inner join {{ ref('int_meetings__participants') }} as participants on activities.activity_id = concat('meeting:', participants.event_id)
where participants.record_id is not null and participants.record_id is distinct from activities.who_id
