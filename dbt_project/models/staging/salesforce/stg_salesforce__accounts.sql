select
    Id as account_id,
    MasterRecordId as master_record_id,
    Name as account_name,
    Industry as industry,
    try_cast(NumberOfEmployees as integer) as employee_count,
    try_cast(AnnualRevenue as decimal(28, 2)) as annual_revenue,
    BillingCountry as country,
    Phone as phone,
    OwnerId as owner_id,
    ParentId as parent_account_id,
    CurrencyIsoCode as currency,
    Type as account_type,
    -- An org without person accounts has no such field.
    coalesce(cast(IsPersonAccount as boolean), false) as is_person_account,
    PersonContactId as person_contact_id,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__account')) }}
{{ latest_version('Id', 'SystemModstamp') }}
