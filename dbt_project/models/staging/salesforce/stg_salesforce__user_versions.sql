select
    Id as user_id,
    lower(trim(Email)) as email,
    Phone as phone,
    MobilePhone as mobile_phone,
    cast(IsActive as boolean) as is_active,
    cast(CreatedDate as timestamp) as created_at,
    cast(SystemModstamp as timestamp) as system_modified_at,
    _load_id as load_id
from {{ lake(source('lake', 'salesforce__user')) }}
where _broken_rules is null
qualify row_number() over (partition by Id, SystemModstamp order by _load_id desc nulls last) = 1
