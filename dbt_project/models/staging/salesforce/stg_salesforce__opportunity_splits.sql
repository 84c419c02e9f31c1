select
    Id as opportunity_split_id,
    OpportunityId as opportunity_id,
    SplitOwnerId as split_owner_id,
    {{ percent_to_rate('SplitPercentage') }} as split_rate,
    try_cast(SplitAmount as decimal(28, 2)) as split_amount,
    SplitTypeId as split_type_id,
    CurrencyIsoCode as currency,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__opportunity_split')) }}
{{ latest_version('Id', 'SystemModstamp') }}
