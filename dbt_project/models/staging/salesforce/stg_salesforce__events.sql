select
    Id as event_id,
    WhoId as who_id,
    WhatId as what_id,
    Subject as subject,
    cast(StartDateTime as timestamp) as started_at,
    cast(EndDateTime as timestamp) as ended_at,
    cast(DurationInMinutes as integer) as duration_minutes,
    OwnerId as owner_id,
    ShowAs as show_as,
    cast(Cancelled__c as boolean) as is_cancelled,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__event')) }}
{{ latest_version('Id', 'SystemModstamp') }}
