-- Who stands behind each party of an event, and with what weight among all parties of equal weight.
with events as (
    select * from {{ ref('int_credit_events') }}
),

-- The splits that share the deal, or its owner; overlays take nothing from them.
shares as (
    select
        opportunity_id,
        rep_id,
        sum(credit_weight) as weight
    from {{ ref('fct_opportunity_credits') }}
    where is_sharing
    group by opportunity_id, rep_id
),

share_totals as (
    select
        opportunity_id,
        sum(weight) as total_weight
    from shares
    group by opportunity_id
),

-- One person has the weight of all people who share the deal together, so that the parties' own weights keep their meaning.
parties as (
    select
        events.event_id,
        'owner' as party,
        events.owner_id as rep_id,
        coalesce(totals.total_weight, 1) as party_weight
    from events
    left join share_totals as totals on events.opportunity_id = totals.opportunity_id
    union all
    select
        events.event_id,
        'sourced_by',
        events.sourced_by_id,
        coalesce(totals.total_weight, 1)
    from events
    left join share_totals as totals on events.opportunity_id = totals.opportunity_id
    union all
    select
        events.event_id,
        'opportunity_splits',
        shares.rep_id,
        shares.weight
    from events
    inner join shares on events.opportunity_id = shares.opportunity_id
)

select
    event_id,
    party,
    rep_id,
    {{ wide_integer('party_weight') }} as party_weight
from parties
where rep_id is not null
