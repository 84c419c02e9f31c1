select
    plan_id,
    plan_hash,
    component_id,
    component_number,
    component_name,
    component_kind,
    measure,
    crediting_rule_id,
    amount_at_least,
    amount_below,
    fixed_amount,
    tier_meaning,
    tier_basis,
    tier_scope,
    tier_closure
from {{ incentives_in_force(lake(source('lake', 'plans__component')), 'plan_hash') }}
