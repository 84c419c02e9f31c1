select
    as_of,
    model_hash,
    method,
    period_grain,
    period_start,
    entity_type,
    entity_id,
    {%- for measure in [
        'mean', 'median', 'lo_50', 'hi_50', 'lo_80', 'hi_80', 'lo_90', 'hi_90', 'booked_part', 'pipeline_part', 'run_rate_part'
    ] %}
        cast({{ measure }} as decimal(28, 2)) as {{ measure }},
    {%- endfor %}
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'model__revenue_forecast')) }}
where _broken_rules is null
