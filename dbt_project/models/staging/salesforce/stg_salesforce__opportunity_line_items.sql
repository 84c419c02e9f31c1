select
    Id as opportunity_line_item_id,
    OpportunityId as opportunity_id,
    Product2Id as product_id,
    cast(Quantity as decimal(18, 2)) as quantity,
    try_cast(UnitPrice as decimal(28, 2)) as unit_price,
    try_cast(ListPrice as decimal(28, 2)) as list_price,
    cast(TotalPrice as decimal(28, 2)) as total_amount,
    CurrencyIsoCode as currency,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__opportunity_line_item')) }}
{{ latest_version('Id', 'SystemModstamp') }}
