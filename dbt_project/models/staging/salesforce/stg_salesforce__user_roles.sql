select
    Id as user_role_id,
    Name as user_role_name,
    ParentRoleId as parent_user_role_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__user_role')) }}
{{ latest_version('Id', 'SystemModstamp') }}
