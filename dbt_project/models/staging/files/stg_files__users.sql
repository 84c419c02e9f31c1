select
    user_id,
    user_name,
    lower(trim(email)) as email,
    role,
    team,
    manager_id,
    manager_name,
    territory,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'files__user')) }}
{{ latest_version('user_id') }}
