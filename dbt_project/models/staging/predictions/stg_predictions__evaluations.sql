select
    model_kind,
    model_hash,
    as_of,
    metric,
    value,
    fitted_from,
    fitted_until,
    judged_from,
    judged_until,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'model__evaluation')) }}
where _broken_rules is null
