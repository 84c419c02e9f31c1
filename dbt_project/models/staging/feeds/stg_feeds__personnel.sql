select
    trim(employee_id) as employee_id,
    lower(trim(email)) as email,
    full_name,
    cast(effective_date as date) as effective_date,
    role,
    team,
    trim(manager_employee_id) as manager_employee_id,
    territory,
    cast(hire_date as date) as hired_date,
    cast(leave_date as date) as left_date,
    cast(fte as decimal(5, 2)) as fte,
    calendar as calendar_name,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__personnel')) }}
{{ latest_version('trim(employee_id), effective_date') }}
