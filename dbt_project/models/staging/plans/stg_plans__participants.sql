select
    plan_id,
    plan_hash,
    participant_number,
    role,
    team,
    rep,
    effective_from,
    effective_to
from {{ incentives_in_force(lake(source('lake', 'plans__participant')), 'plan_hash') }}
