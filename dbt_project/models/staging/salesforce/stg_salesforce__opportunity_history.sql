select
    Id as opportunity_history_id,
    OpportunityId as opportunity_id,
    StageName as stage_name,
    cast(Amount as decimal(28, 2)) as amount,
    try_cast(ExpectedRevenue as decimal(28, 2)) as expected_revenue,
    cast(CloseDate as date) as close_date,
    {{ percent_to_rate('Probability') }} as probability,
    ForecastCategory as forecast_category,
    CurrencyIsoCode as currency,
    cast(CreatedDate as timestamp) as created_at,
    CreatedById as created_by_id,
    cast(SystemModstamp as timestamp) as system_modified_at,
    cast(IsDeleted as boolean) as is_deleted,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'salesforce__opportunity_history')) }}
{{ latest_version('Id', 'SystemModstamp') }}
