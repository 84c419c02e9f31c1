select
    Id as group_id,
    coalesce(Name, DeveloperName) as group_name,
    Type as group_type,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__group')) }}
{{ latest_version('Id', 'SystemModstamp') }}
