select
    {{ key_without_address('opportunity_id') }} as opportunity_id,
    opportunity_name,
    {{ key_without_address('account_id') }} as account_id,
    {{ key_without_address('lead_id') }} as lead_id,
    owner_id,
    stage_name,
    cast(amount as decimal(28, 2)) as amount,
    currency,
    created_at as created_at_text,
    cast(close_date as date) as close_date,
    closed_at as closed_at_text,
    product_id,
    competitor,
    opportunity_type,
    lead_source,
    campaign_id,
    coalesce(cast(is_deleted as boolean), false) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'files__opportunity')) }}
{{ latest_version('opportunity_id') }}
