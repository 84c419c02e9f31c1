-- What each won deal that counts credits to the people who share it: whole cents by weight, what is left over one by one to the largest remainders,
-- ties by rep id. In the team of each on the day that the deal counts on.
with shares as (
    select
        opportunity_id,
        rep_id,
        sum(credit_weight) as credit_weight
    from {{ ref('fct_opportunity_credits') }}
    where is_sharing
    group by opportunity_id, rep_id
),

measured as (
    select
        deals.opportunity_id,
        shares.rep_id,
        deals.closed_date,
        deals.credited_at,
        deals.amount_reporting,
        {{ wide_integer('shares.credit_weight') }} as credit_weight,
        {{ wide_integer('sum(shares.credit_weight) over (partition by deals.opportunity_id)') }} as total_weight,
        {{ wide_integer('abs(deals.amount_reporting) * 100') }} as cents
    from {{ ref('fct_opportunities') }} as deals
    inner join shares on deals.opportunity_id = shares.opportunity_id
    where deals.is_counted and deals.is_won and deals.amount_reporting is not null and deals.closed_date is not null
),

divided as (
    select
        *,
        {{ whole_quotient('cents * credit_weight', 'total_weight') }} as whole_cents
    from measured
),

ranked as (
    select
        *,
        cents - sum(whole_cents) over (partition by opportunity_id) as cents_left,
        row_number() over (
            partition by opportunity_id order by cents * credit_weight - whole_cents * total_weight desc nulls last, rep_id asc nulls last
        ) as remainder_rank
    from divided
)

select
    ranked.opportunity_id,
    ranked.rep_id,
    ranked.closed_date as date_day,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    cast(
        cast(ranked.whole_cents + case when ranked.remainder_rank <= ranked.cents_left then 1 else 0 end as decimal(26, 0))
        * cast(0.01 as decimal(2, 2))
        * case when ranked.amount_reporting < 0 then -1 else 1 end as decimal(28, 2)
    ) as credited_amount
from ranked
{{ join_rep_version('ranked.rep_id', 'ranked.credited_at') }}
