-- Who takes part in a meeting besides its organiser: colleagues (`rep_id`) and others (`record_id` of a lead or contact). Whoever declined does not.
with people as (
    select * from {{ ref('int_reps__people') }}
    where record_kind = 'user'
),

outsiders as (
    select lead_id as record_id from {{ ref('stg_salesforce__leads') }}
    union all
    select contact_id from {{ ref('stg_salesforce__contacts') }}
),

invited as (
    select
        meetings.event_id,
        relations.relation_id as record_id
    from {{ ref('int_meetings') }} as meetings
    inner join {{ ref('stg_salesforce__event_relations') }} as relations on meetings.event_id = relations.event_id
    where not coalesce(relations.is_deleted, false) and not relations.is_what and coalesce(relations.response <> 'Declined', true)
    union
    select
        event_id,
        who_id
    from {{ ref('int_meetings') }}
    where who_id is not null
    union
    -- A person account is its own contact.
    select
        meetings.event_id,
        accounts.person_contact_id
    from {{ ref('int_meetings') }} as meetings
    inner join {{ ref('stg_salesforce__accounts') }} as accounts on meetings.what_id = accounts.account_id
    where accounts.is_person_account and accounts.person_contact_id is not null and meetings.who_id is null
)

select distinct
    invited.event_id,
    people.rep_id,
    outsiders.record_id
from invited
left join people on invited.record_id = people.record_id
left join outsiders on invited.record_id = outsiders.record_id
where people.rep_id is not null or outsiders.record_id is not null
