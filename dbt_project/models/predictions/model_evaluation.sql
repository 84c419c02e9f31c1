select
    model_kind,
    model_hash,
    as_of,
    dense_rank() over (partition by model_kind order by as_of desc nulls last, load_id desc nulls last) = 1 as is_latest,
    metric,
    value,
    fitted_from,
    fitted_until,
    judged_from,
    judged_until,
    load_id,
    known_from
from {{ ref('stg_predictions__evaluations') }}
