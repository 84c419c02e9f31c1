select
    Id as user_id,
    Username as username,
    lower(trim(Email)) as email,
    Name as user_name,
    FirstName as first_name,
    LastName as last_name,
    Phone as phone,
    EmployeeNumber as employee_id,
    cast(IsActive as boolean) as is_active,
    ManagerId as manager_id,
    UserRoleId as user_role_id,
    TimeZoneSidKey as time_zone,
    UserType as user_type,
    DefaultCurrencyIsoCode as default_currency,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__user')) }}
{{ latest_version('Id', 'SystemModstamp') }}
