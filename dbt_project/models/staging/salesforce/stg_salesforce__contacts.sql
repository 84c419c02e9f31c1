select
    Id as contact_id,
    MasterRecordId as master_record_id,
    AccountId as account_id,
    FirstName as first_name,
    LastName as last_name,
    Name as contact_name,
    lower(trim(Email)) as email,
    Phone as phone,
    Title as title,
    OwnerId as owner_id,
    LeadSource as lead_source,
    MobilePhone as mobile_phone,
    coalesce(cast(IsPersonAccount as boolean), false) as is_person_account,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__contact')) }}
{{ latest_version('Id', 'SystemModstamp') }}
