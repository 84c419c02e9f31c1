-- Whom each activity was with: the record it names, else the person on file with that phone number or mail address.
with activities as (select * from {{ ref('int_activities') }}),

points as (
    select
        *,
        count(*) over (partition by point_kind, point_value) as candidate_count
    from {{ ref('int_people__contact_points') }}
),

records as (
    select
        lead_id as record_id,
        coalesce(merged_into_id, lead_id) as lead_id,
        converted_contact_id as contact_id,
        converted_account_id as account_id
    from {{ ref('int_leads') }}
    union all
    select
        contacts.contact_id,
        min(leads.lead_id),
        min(contacts.surviving_contact_id),
        min(contacts.account_id)
    from {{ ref('int_contacts') }} as contacts
    left join {{ ref('int_leads') }} as leads on contacts.surviving_contact_id = leads.converted_contact_id and leads.is_counted
    group by contacts.contact_id
),

-- Several people may share a switchboard number: who was on file then, the rep's own first, the newest first.
by_point as (
    select
        activities.activity_id,
        points.lead_id,
        points.contact_id,
        points.account_id,
        points.candidate_count,
        points.owner_id = activities.rep_id as is_own
    from activities
    inner join points on activities.point_kind = points.point_kind and activities.counterpart_key = points.point_value
    qualify row_number() over (
        partition by activities.activity_id
        order by
            points.created_at <= activities.occurred_at desc nulls last,
            points.owner_id = activities.rep_id desc nulls last,
            points.created_at desc nulls last,
            points.person_id asc nulls last
    ) = 1
),

persons as (
    select
        activities.*,
        coalesce(records.lead_id, by_point.lead_id) as lead_id,
        coalesce(records.contact_id, by_point.contact_id) as contact_id,
        coalesce(records.account_id, by_point.account_id, accounts.account_id) as account_id,
        deals.opportunity_id as named_opportunity_id,
        case
            when records.record_id is not null or deals.opportunity_id is not null or accounts.account_id is not null then 'record'
            when by_point.activity_id is not null then activities.point_kind
            else 'none'
        end as match_method,
        case
            when records.record_id is not null or deals.opportunity_id is not null or accounts.account_id is not null then 1.0
            when by_point.candidate_count = 1 then 0.95
            when by_point.is_own then 0.8
            when by_point.activity_id is not null then 0.5
        end as match_confidence
    from activities
    left join records on activities.who_id = records.record_id
    left join {{ ref('int_opportunities') }} as deals on activities.what_id = deals.opportunity_id
    left join {{ ref('int_accounts') }} as accounts on activities.what_id = accounts.account_id
    left join by_point on activities.activity_id = by_point.activity_id
),

-- The deal with that contact that was going on at the time.
by_contact as (
    select
        persons.activity_id,
        deals.opportunity_id
    from persons
    inner join {{ ref('int_opportunities') }} as deals
        on persons.contact_id = deals.contact_id and persons.occurred_at >= deals.created_at and not deals.is_deleted
    inner join {{ ref('int_opportunities__outcomes') }} as outcomes
        on
            deals.opportunity_id = outcomes.opportunity_id
            and (outcomes.closed_at is null or persons.occurred_at <= outcomes.closed_at)
    where persons.named_opportunity_id is null
    qualify row_number() over (
        partition by persons.activity_id order by deals.created_at desc nulls last, deals.opportunity_id asc nulls last
    ) = 1
)

select
    {{ all_but('persons', ['named_opportunity_id', 'who_id', 'what_id', 'match_confidence']) }},
    cast(persons.match_confidence as decimal(3, 2)) as match_confidence,
    coalesce(persons.named_opportunity_id, by_contact.opportunity_id) as opportunity_id,
    case
        when coalesce(persons.named_opportunity_id, by_contact.opportunity_id) is not null then 'opportunity'
        when persons.contact_id is not null then 'contact'
        when persons.lead_id is not null then 'lead'
        when persons.account_id is not null then 'account'
    end as matched_to
from persons
left join by_contact on persons.activity_id = by_contact.activity_id
