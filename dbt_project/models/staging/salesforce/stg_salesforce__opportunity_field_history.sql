select
    Id as history_id,
    OpportunityId as opportunity_id,
    Field as field,
    DataType as data_type,
    OldValue as old_value,
    NewValue as new_value,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__opportunity_field_history')) }}
{{ latest_version('Id', 'CreatedDate') }}
