-- depends_on: {{ source('lake', 'settings__field') }}
{% set fields = mapped_fields('Event', source('lake', 'salesforce__event')) -%}
select
    Id as event_id,
    WhoId as who_id,
    WhatId as what_id,
    Subject as subject,
    cast(StartDateTime as timestamp) as started_at,
    cast(EndDateTime as timestamp) as ended_at,
    try_cast(DurationInMinutes as integer) as duration_minutes,
    coalesce(cast(IsAllDayEvent as boolean), false) as is_all_day,
    -- The days of an all-day event: its instants are midnights in UTC, which stand for days and are never shifted.
    try_cast(ActivityDate as date) as activity_date,
    try_cast(EndDate as date) as end_date,
    cast(IsRecurrence as boolean) as is_recurrence,
    cast(IsRecurrence2 as boolean) as is_recurrence2,
    RecurrenceActivityId as recurrence_activity_id,
    coalesce(cast(IsChild as boolean), false) as is_child,
    cast(IsGroupEvent as boolean) as is_group_event,
    GroupEventType as group_event_type,
    -- The record of a series is a pattern and no meeting: of a Classic one by its flag, of a Lightning one by its kind or its rule.
    coalesce(cast(IsRecurrence as boolean), false) or coalesce(GroupEventType = '3', false)
    or (coalesce(cast(IsRecurrence2 as boolean), false) and Recurrence2PatternText is not null) as is_series,
    cast(IsArchived as boolean) as is_archived,
    OwnerId as owner_id,
    ShowAs as show_as,
    {{ typed_fields(fields) }}
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__event'), fields) }}
{{ latest_version('Id', 'SystemModstamp') }}
