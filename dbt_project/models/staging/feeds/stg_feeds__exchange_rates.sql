select
    from_currency,
    to_currency,
    cast(rate_date as date) as rate_date,
    cast(rate as decimal(18, 10)) as rate,
    source as rate_source,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'feed__exchange_rates')) }}
{{ latest_version('from_currency, to_currency, rate_date') }}
