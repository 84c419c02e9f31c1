select
    plan_id,
    plan_hash,
    crediting_rule_id,
    party,
    weight
from {{ incentives_in_force(lake(source('lake', 'plans__crediting_rule')), 'plan_hash') }}
