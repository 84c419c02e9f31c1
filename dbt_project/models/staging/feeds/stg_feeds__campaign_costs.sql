select
    trim(campaign_id) as campaign_id,
    cast(cost_date as date) as cost_date,
    cast(amount as decimal(28, 2)) as amount,
    currency,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__campaign_costs')) }}
{{ latest_version('trim(campaign_id), cost_date') }}
