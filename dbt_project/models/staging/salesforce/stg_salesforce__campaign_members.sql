select
    Id as campaign_member_id,
    CampaignId as campaign_id,
    LeadId as lead_id,
    ContactId as contact_id,
    Status as status,
    cast(HasResponded as boolean) as has_responded,
    try_cast(FirstRespondedDate as date) as first_responded_date,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__campaign_member')) }}
{{ latest_version('Id', 'SystemModstamp') }}
