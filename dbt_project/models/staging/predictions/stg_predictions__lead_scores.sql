select
    lead_id,
    as_of,
    model_hash,
    score,
    band,
    top_reasons,
    outcome_horizon_days,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'model__lead_score')) }}
where _broken_rules is null
