select
    Id as territory_id,
    Territory2ModelId as territory_model_id,
    Name as territory_name,
    DeveloperName as developer_name,
    ParentTerritory2Id as parent_territory_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__territory2')) }}
{{ latest_version('Id', 'SystemModstamp') }}
