select
    Id as record_type_id,
    SobjectType as object_name,
    DeveloperName as developer_name,
    Name as record_type_name,
    cast(IsActive as boolean) as is_active,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__record_type')) }}
{{ latest_version('Id', 'SystemModstamp') }}
