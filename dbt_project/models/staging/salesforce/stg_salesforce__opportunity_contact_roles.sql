select
    Id as opportunity_contact_role_id,
    OpportunityId as opportunity_id,
    ContactId as contact_id,
    Role as role,
    cast(IsPrimary as boolean) as is_primary,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__opportunity_contact_role')) }}
{{ latest_version('Id', 'SystemModstamp') }}
