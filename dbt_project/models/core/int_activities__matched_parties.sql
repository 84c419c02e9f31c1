-- Whom each party of an activity is on file as: the record that the activity names, else the one person with that number or address. Several people
-- may share a switchboard or a mailbox: then the rep's own customer, or nobody. A record that did not exist yet was not called, but people dial
-- first and type later: a lead may be a day younger than its first touch.
with parties as (select * from {{ ref('int_activities__parties') }}),

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
        converted.lead_id,
        contacts.surviving_contact_id,
        contacts.account_id
    from {{ ref('int_contacts') }} as contacts
    left join {{ ref('int_people__converted_leads') }} as converted on contacts.surviving_contact_id = converted.contact_id
),

candidates as (
    select
        parties.activity_id,
        parties.party_key,
        points.person_id,
        points.lead_id,
        points.contact_id,
        points.account_id,
        coalesce(points.owner_id = parties.rep_id, false) as is_own,
        points.created_at <= parties.occurred_at as is_on_file,
        max(points.created_at <= parties.occurred_at) over (partition by parties.activity_id, parties.party_key) as has_any_on_file
    from parties
    inner join {{ ref('int_people__contact_points') }} as points
        on parties.point_kind = points.point_kind and parties.party_key = points.point_value
    where points.created_at <= {{ add_seconds('parties.occurred_at', 86400) }}
),

counted as (
    select
        *,
        count(*) over (partition by activity_id, party_key) as candidate_count,
        sum(case when is_own then 1 else 0 end) over (partition by activity_id, party_key) as own_count,
        min(account_id) over (partition by activity_id, party_key) as first_account_id,
        max(account_id) over (partition by activity_id, party_key) as last_account_id,
        count(account_id) over (partition by activity_id, party_key) as account_count,
        row_number() over (partition by activity_id, party_key order by is_own desc nulls last, person_id asc nulls last) as place
    from candidates
    where is_on_file or not has_any_on_file
),

-- One candidate, or one of the rep's own; of colleagues at one company at least the company is known.
by_point as (
    select
        activity_id,
        party_key,
        candidate_count,
        own_count,
        candidate_count > 1 and own_count <> 1 as is_ambiguous,
        case when candidate_count = 1 or own_count = 1 then lead_id end as lead_id,
        case when candidate_count = 1 or own_count = 1 then contact_id end as contact_id,
        case
            when candidate_count = 1 or own_count = 1 then account_id
            when account_count = candidate_count and first_account_id = last_account_id then first_account_id
        end as account_id
    from counted
    where place = 1
)

select
    parties.activity_id,
    parties.party_key,
    parties.is_first,
    coalesce(records.lead_id, by_point.lead_id) as lead_id,
    coalesce(records.contact_id, by_point.contact_id) as contact_id,
    coalesce(records.account_id, by_point.account_id, accounts.account_id) as account_id,
    deals.opportunity_id as named_opportunity_id,
    case
        when records.record_id is not null or deals.opportunity_id is not null or accounts.account_id is not null then 'record'
        when by_point.is_ambiguous then 'ambiguous'
        when by_point.activity_id is not null then parties.point_kind
        else 'none'
    end as match_method,
    case
        when records.record_id is not null or deals.opportunity_id is not null or accounts.account_id is not null then 1.0
        when by_point.is_ambiguous then null
        when by_point.candidate_count = 1 then 0.95
        when by_point.own_count = 1 then 0.8
    end as match_confidence
from parties
left join records on parties.who_id = records.record_id
left join {{ ref('int_opportunities') }} as deals on parties.what_id = deals.opportunity_id
left join {{ ref('int_accounts') }} as accounts on parties.what_id = accounts.account_id
left join by_point on parties.activity_id = by_point.activity_id and parties.party_key = by_point.party_key
