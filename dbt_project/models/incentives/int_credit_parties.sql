-- Who stands behind each party of an event, and with what weight among all parties of equal weight.
with events as (
    select * from {{ ref('int_credit_events') }}
),

crm_splits as (
    select
        opportunity_id,
        split_owner_id as rep_id,
        {{ incentives_wide_integer('sum(split_rate * 1000000)') }} as weight
    from {{ ref('stg_salesforce__opportunity_splits') }}
    where not is_deleted and split_rate > 0
    group by opportunity_id, split_owner_id
),

split_totals as (
    select
        opportunity_id,
        sum(weight) as total_weight
    from crm_splits
    group by opportunity_id
),

-- One person has the weight of all people of the CRM's split together, so that the parties' own weights keep their meaning.
parties as (
    select
        events.event_id,
        'owner' as party,
        events.owner_id as rep_id,
        coalesce(totals.total_weight, 1) as party_weight
    from events
    left join split_totals as totals on events.opportunity_id = totals.opportunity_id
    union all
    select
        events.event_id,
        'sourced_by',
        events.sourced_by_id,
        coalesce(totals.total_weight, 1)
    from events
    left join split_totals as totals on events.opportunity_id = totals.opportunity_id
    union all
    select
        events.event_id,
        'opportunity_splits',
        coalesce(crm_splits.rep_id, events.owner_id),
        coalesce(crm_splits.weight, 1)
    from events
    left join crm_splits on events.opportunity_id = crm_splits.opportunity_id
)

select
    event_id,
    party,
    rep_id,
    {{ incentives_wide_integer('party_weight') }} as party_weight
from parties
where rep_id is not null
