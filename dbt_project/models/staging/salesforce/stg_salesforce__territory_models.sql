select
    Id as territory_model_id,
    Name as territory_model_name,
    State as state,
    cast(ActivatedDate as timestamp) as activated_at,
    cast(DeactivatedDate as timestamp) as deactivated_at,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__territory2_model')) }}
{{ latest_version('Id', 'SystemModstamp') }}
