select
    concat(line_id, '#', tier_number) as slice_id,
    line_id,
    tier_number,
    lower_bound_amount,
    upper_bound_amount,
    slice_amount,
    rate,
    slice_amount * rate as commission_unrounded
from {{ ref('int_commission_tiers') }}
where slice_amount <> 0
