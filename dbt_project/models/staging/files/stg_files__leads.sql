select
    {{ key_without_address('lead_id') }} as lead_id,
    created_at as created_at_text,
    first_contact_at as first_contact_at_text,
    lead_source,
    status as status_name,
    owner_id,
    campaign_id,
    company,
    industry,
    country,
    converted_at as converted_at_text,
    {{ key_without_address('opportunity_id') }} as opportunity_id,
    coalesce(cast(is_deleted as boolean), false) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'files__lead')) }}
{{ latest_version('lead_id') }}
