select
    Id as currency_type_id,
    IsoCode as currency,
    cast(ConversionRate as decimal(18, 10)) as conversion_rate,
    try_cast(DecimalPlaces as integer) as decimal_places,
    cast(IsActive as boolean) as is_active,
    cast(IsCorporate as boolean) as is_corporate,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__currency_type')) }}
{{ latest_version('Id', 'SystemModstamp') }}
