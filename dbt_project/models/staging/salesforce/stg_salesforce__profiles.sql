select
    Id as profile_id,
    Name as profile_name,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__profile')) }}
{{ latest_version('Id', 'SystemModstamp') }}
