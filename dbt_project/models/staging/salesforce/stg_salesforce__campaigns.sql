select
    Id as campaign_id,
    Name as campaign_name,
    Type as campaign_type,
    Status as status,
    cast(StartDate as date) as start_date,
    try_cast(EndDate as date) as end_date,
    try_cast(BudgetedCost as decimal(28, 2)) as budgeted_cost_amount,
    cast(ActualCost as decimal(28, 2)) as actual_cost_amount,
    cast(IsActive as boolean) as is_active,
    CurrencyIsoCode as currency,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__campaign')) }}
{{ latest_version('Id', 'SystemModstamp') }}
