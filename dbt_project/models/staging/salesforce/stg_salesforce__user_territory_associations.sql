select
    Id as user_territory_association_id,
    UserId as user_id,
    Territory2Id as territory_id,
    cast(IsActive as boolean) as is_active,
    RoleInTerritory2 as role_in_territory,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__user_territory2_association')) }}
{{ latest_version('Id', 'SystemModstamp') }}
