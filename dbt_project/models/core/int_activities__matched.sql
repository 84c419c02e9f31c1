-- Whom each activity was with, by the first of its parties that is on file; then the deal: the one named, else the contact's, else the only one of
-- the account that was open. Calls that the CRM and telephony both know are one call.
with parties as (
    select *
    from {{ ref('int_activities__matched_parties') }}
    qualify row_number() over (
        partition by activity_id
        order by
            case match_method when 'none' then 2 when 'ambiguous' then 1 else 0 end asc nulls last,
            is_first desc nulls last,
            party_key asc nulls last
    ) = 1
),

persons as (
    select
        activities.*,
        parties.lead_id,
        parties.contact_id,
        parties.account_id,
        parties.named_opportunity_id,
        parties.match_method,
        parties.match_confidence
    from {{ ref('int_activities') }} as activities
    inner join parties on activities.activity_id = parties.activity_id
),

open_deals as (
    select
        deals.opportunity_id,
        deals.contact_id,
        deals.account_id,
        deals.created_at,
        coalesce(outcomes.marked_closed_at, {{ utc_time(add_days('outcomes.closed_date', 1), 'context.business_timezone') }}, timestamp '9999-12-31')
            as closed_at
    from {{ ref('int_opportunities') }} as deals
    cross join {{ ref('int_run_context') }} as context
    inner join {{ ref('int_opportunities__outcomes') }} as outcomes on deals.opportunity_id = outcomes.opportunity_id
    where not deals.is_deleted
),

-- The deal with that contact, else of that account, that was going on at the time; two of them are no answer.
by_contact as (
    select
        persons.activity_id,
        min(deals.opportunity_id) as opportunity_id
    from persons
    inner join {{ ref('int_opportunities__contacts') }} as roles on persons.contact_id = roles.contact_id
    inner join open_deals as deals
        on roles.opportunity_id = deals.opportunity_id and persons.occurred_at >= deals.created_at and persons.occurred_at <= deals.closed_at
    where persons.named_opportunity_id is null
    group by persons.activity_id
    having count(distinct deals.opportunity_id) = 1
),

by_account as (
    select
        persons.activity_id,
        min(deals.opportunity_id) as opportunity_id
    from persons
    inner join open_deals as deals
        on persons.account_id = deals.account_id and persons.occurred_at >= deals.created_at and persons.occurred_at <= deals.closed_at
    where persons.named_opportunity_id is null
    group by persons.activity_id
    having count(distinct deals.opportunity_id) = 1
)

select
    {{ all_but('persons', ['named_opportunity_id', 'who_id', 'what_id', 'match_confidence', 'provider_call_id']) }},
    cast(persons.match_confidence as decimal(3, 2)) as match_confidence,
    coalesce(persons.named_opportunity_id, by_contact.opportunity_id, by_account.opportunity_id) as opportunity_id,
    case
        when persons.named_opportunity_id is not null then 'record'
        when by_contact.opportunity_id is not null then 'contact'
        when by_account.opportunity_id is not null then 'account'
    end as opportunity_match_method,
    case
        when coalesce(persons.named_opportunity_id, by_contact.opportunity_id, by_account.opportunity_id) is not null then 'opportunity'
        when persons.contact_id is not null then 'contact'
        when persons.lead_id is not null then 'lead'
        when persons.account_id is not null then 'account'
    end as matched_to,
    pairs.call_activity_id as same_call_as
from persons
left join by_contact on persons.activity_id = by_contact.activity_id
left join by_account on persons.activity_id = by_account.activity_id
left join {{ ref('int_calls__pairs') }} as pairs on persons.activity_id = pairs.log_activity_id
