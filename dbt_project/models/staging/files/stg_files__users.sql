select
    user_id,
    user_name,
    lower(trim(email)) as email,
    role,
    team,
    manager_name,
    territory,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'files__user')) }}
where _broken_rules is null
qualify row_number() over (
    partition by user_id
    order by _known_from desc nulls last, _load_id desc nulls last
) = 1
