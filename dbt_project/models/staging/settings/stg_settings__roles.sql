select
    settings_hash,
    source_role,
    role,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'settings__role')) }}
where
    _broken_rules is null
    and settings_hash in (select org.settings_hash from {{ ref('stg_settings__org') }} as org)
qualify dense_rank() over (order by _known_from desc nulls last, _load_id desc nulls last) = 1
