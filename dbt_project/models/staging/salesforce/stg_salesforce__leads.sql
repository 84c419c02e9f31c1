-- depends_on: {{ source('lake', 'settings__field') }}
{% set fields = mapped_fields('Lead', source('lake', 'salesforce__lead')) -%}
select
    Id as lead_id,
    MasterRecordId as master_record_id,
    FirstName as first_name,
    LastName as last_name,
    Name as lead_name,
    Company as company,
    lower(trim(Email)) as email,
    Phone as phone,
    MobilePhone as mobile_phone,
    Title as title,
    Industry as industry,
    try_cast(NumberOfEmployees as integer) as employee_count,
    Country as country,
    LeadSource as lead_source,
    Status as status_name,
    Rating as rating,
    OwnerId as owner_id,
    cast(IsConverted as boolean) as is_converted,
    try_cast(ConvertedDate as date) as converted_date,
    ConvertedAccountId as converted_account_id,
    ConvertedContactId as converted_contact_id,
    ConvertedOpportunityId as converted_opportunity_id,
    {{ typed_fields(fields) }}
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__lead'), fields) }}
{{ latest_version('Id', 'SystemModstamp') }}
