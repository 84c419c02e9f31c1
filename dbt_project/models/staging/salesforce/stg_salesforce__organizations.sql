select
    "Id" as organization_id,
    "Name" as organization_name,
    "TimeZoneSidKey" as time_zone,
    cast("FiscalYearStartMonth" as integer) as fiscal_year_start_month,
    "OrganizationType" as organization_type,
    cast("CreatedDate" as timestamp) as created_at,
    cast("SystemModstamp" as timestamp) as system_modified_at,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__organization')) }}
where _broken_rules is null
qualify row_number() over (
    partition by "Id"
    order by "SystemModstamp" desc nulls last, _known_from desc nulls last, _load_id desc nulls last
) = 1
