select
    run_id,
    as_of,
    crm_url
from {{ run_context(source('run', 'lake_snapshot')) }}
