select
    settings_hash,
    lower(trim(domain)) as domain,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'settings__email_domain')) }}
where
    _broken_rules is null
    and settings_hash in (select org.settings_hash from {{ ref('stg_settings__org') }} as org)
qualify dense_rank() over (order by _known_from desc nulls last, _load_id desc nulls last) = 1
