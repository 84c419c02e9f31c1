-- Each line against each tier of its component: how much of its amount lies in the tier, and whether the running total has come to rest
-- there. A bound on attainment is bound × quota, exactly. Without a quota there is no bound and no row.
with bounded as (
    select
        attainment.line_id,
        attainment.tier_closure,
        tiers.tier_number,
        tiers.rate,
        cast(attainment.attainment_before_amount as decimal(26, 6)) as before_amount,
        cast(attainment.attainment_after_amount as decimal(26, 6)) as after_amount,
        cast(
            case attainment.tier_basis
                when 'amount' then tiers.lower_amount
                else tiers.lower_quota_ratio * attainment.quota_amount
            end as decimal(26, 6)
        ) as lower_bound_amount,
        cast(
            case attainment.tier_basis
                when 'amount' then tiers.upper_amount
                else tiers.upper_quota_ratio * attainment.quota_amount
            end as decimal(26, 6)
        ) as upper_bound_amount
    from {{ ref('int_attainment') }} as attainment
    inner join {{ ref('stg_plans__tiers') }} as tiers
        on attainment.plan_id = tiers.plan_id and attainment.component_id = tiers.component_id
    where attainment.tier_basis = 'amount' or attainment.quota_amount is not null
)

select
    line_id,
    tier_number,
    rate,
    lower_bound_amount,
    upper_bound_amount,
    cast(
        {{ incentives_amount_within('after_amount', 'lower_bound_amount', 'upper_bound_amount') }}
        - {{ incentives_amount_within('before_amount', 'lower_bound_amount', 'upper_bound_amount') }}
        as decimal(27, 6)
    ) as slice_amount,
    case tier_closure
        when '[lo, hi)'
            then (tier_number = 1 or after_amount >= lower_bound_amount) and (upper_bound_amount is null or after_amount < upper_bound_amount)
        else (tier_number = 1 or after_amount > lower_bound_amount) and (upper_bound_amount is null or after_amount <= upper_bound_amount)
    end as is_reached
from bounded
