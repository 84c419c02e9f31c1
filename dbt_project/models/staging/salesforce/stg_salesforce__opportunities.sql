-- depends_on: {{ source('lake', 'settings__field') }}
{% set fields = mapped_fields('Opportunity', source('lake', 'salesforce__opportunity')) -%}
select
    Id as opportunity_id,
    AccountId as account_id,
    Name as opportunity_name,
    StageName as stage_name,
    cast(Amount as decimal(28, 2)) as amount,
    CurrencyIsoCode as currency,
    {{ percent_to_rate('Probability') }} as probability,
    cast(CloseDate as date) as close_date,
    cast(IsClosed as boolean) as crm_is_closed,
    cast(IsWon as boolean) as crm_is_won,
    ForecastCategoryName as forecast_category,
    OwnerId as owner_id,
    LeadSource as lead_source,
    CampaignId as campaign_id,
    Type as opportunity_type,
    RecordTypeId as record_type_id,
    ContactId as contact_id,
    {{ typed_fields(fields) }}
    Territory2Id as territory_id,
    try_cast(LastStageChangeDate as timestamp) as last_stage_changed_at,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(LastModifiedDate as timestamp) as last_modified_at,
    LastModifiedById as last_modified_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    {{ salesforce_deleted_at() }} as deleted_at,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__opportunity'), fields) }}
{{ latest_version('Id', 'SystemModstamp') }}
