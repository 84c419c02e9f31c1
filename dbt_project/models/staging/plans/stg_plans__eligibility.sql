select
    plan_id,
    plan_hash,
    component_id,
    clause,
    tag
from {{ incentives_in_force(lake(source('lake', 'plans__eligibility')), 'plan_hash') }}
