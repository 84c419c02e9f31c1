select
    Id as split_type_id,
    DeveloperName as developer_name,
    MasterLabel as split_type_name,
    SplitField as split_field,
    cast(IsTotalValidated as boolean) as is_total_validated,
    cast(IsActive as boolean) as is_active,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__opportunity_split_type')) }}
{{ latest_version('Id', 'SystemModstamp') }}
