select
    employee_id,
    cast(start_date as date) as start_date,
    cast(end_date as date) as end_date,
    kind,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__absences')) }}
where _broken_rules is null
qualify row_number() over (
    partition by employee_id, start_date, kind
    order by _known_from desc nulls last, _load_id desc nulls last
) = 1
