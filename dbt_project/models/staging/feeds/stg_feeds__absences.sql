select
    trim(employee_id) as employee_id,
    cast(start_date as date) as start_date,
    cast(end_date as date) as end_date,
    trim(kind) as kind,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__absences')) }}
{{ latest_version('trim(employee_id), start_date, trim(kind)') }}
