select
    plan_id,
    plan_hash,
    component_id,
    tier_number,
    lower_amount,
    upper_amount,
    lower_quota_ratio,
    upper_quota_ratio,
    rate
from {{ incentives_in_force(lake(source('lake', 'plans__tier')), 'plan_hash') }}
