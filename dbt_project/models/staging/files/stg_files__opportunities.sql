select
    opportunity_id,
    opportunity_name,
    account_id,
    lead_id,
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
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'files__opportunity')) }}
{{ latest_version('opportunity_id') }}
