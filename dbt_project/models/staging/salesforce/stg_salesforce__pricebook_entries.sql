select
    Id as pricebook_entry_id,
    Product2Id as product_id,
    cast(UnitPrice as decimal(28, 2)) as unit_price,
    CurrencyIsoCode as currency,
    cast(IsActive as boolean) as is_active,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__pricebook_entry')) }}
{{ latest_version('Id', 'SystemModstamp') }}
