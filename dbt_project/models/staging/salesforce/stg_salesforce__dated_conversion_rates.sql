select
    Id as dated_conversion_rate_id,
    IsoCode as currency,
    cast(StartDate as date) as start_date,
    try_cast(NextStartDate as date) as next_start_date,
    cast(ConversionRate as decimal(18, 10)) as conversion_rate,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__dated_conversion_rate')) }}
{{ latest_version('Id', 'SystemModstamp') }}
