select
    run_id,
    as_of
from {{ run_context(source('run', 'lake_snapshot')) }}
