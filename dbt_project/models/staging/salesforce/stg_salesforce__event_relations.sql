select
    Id as event_relation_id,
    EventId as event_id,
    RelationId as relation_id,
    cast(IsParent as boolean) as is_parent,
    cast(IsInvitee as boolean) as is_invitee,
    coalesce(cast(IsWhat as boolean), false) as is_what,
    Status as response,
    cast(CreatedDate as timestamp) as created_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__event_relation')) }}
{{ latest_version('Id', 'SystemModstamp') }}
