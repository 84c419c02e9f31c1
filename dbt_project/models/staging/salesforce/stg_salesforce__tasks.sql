select
    Id as task_id,
    WhoId as who_id,
    WhatId as what_id,
    Subject as subject,
    Status as status,
    Priority as priority,
    cast(ActivityDate as date) as activity_date,
    TaskSubtype as task_subtype,
    OwnerId as owner_id,
    cast(IsClosed as boolean) as is_closed,
    cast(CompletedDateTime as timestamp) as completed_at,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__task')) }}
{{ latest_version('Id', 'SystemModstamp') }}
