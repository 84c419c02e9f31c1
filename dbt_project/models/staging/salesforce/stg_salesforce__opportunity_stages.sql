select
    "Id" as opportunity_stage_id,
    "ApiName" as stage_name,
    "MasterLabel" as stage_label,
    cast("SortOrder" as integer) as sort_order,
    cast("IsActive" as boolean) as is_active,
    cast("IsClosed" as boolean) as crm_is_closed,
    cast("IsWon" as boolean) as crm_is_won,
    {{ percent_to_rate('"DefaultProbability"') }} as default_probability,
    "ForecastCategoryName" as forecast_category,
    cast("CreatedDate" as timestamp) as created_at,
    "CreatedById" as created_by_id,
    cast("LastModifiedDate" as timestamp) as last_modified_at,
    "LastModifiedById" as last_modified_by_id,
    cast("SystemModstamp" as timestamp) as system_modified_at,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__opportunity_stage')) }}
where _broken_rules is null
qualify row_number() over (
    partition by "Id"
    order by "SystemModstamp" desc nulls last, _known_from desc nulls last, _load_id desc nulls last
) = 1
