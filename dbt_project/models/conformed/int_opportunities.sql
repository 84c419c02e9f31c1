{%- set own = own_fields(ref('stg_salesforce__opportunities')) -%}
with context as (select * from {{ ref('int_run_context') }}),

-- A deal has one product for reporting: that of its largest line.
main_lines as (
    select
        opportunity_id,
        product_id
    from {{ ref('stg_salesforce__opportunity_line_items') }}
    where not is_deleted
    qualify row_number() over (partition by opportunity_id order by total_amount desc nulls last, opportunity_line_item_id asc nulls last) = 1
),

main_contacts as (
    select
        opportunity_id,
        contact_id
    from {{ ref('stg_salesforce__opportunity_contact_roles') }}
    where not is_deleted
    qualify row_number() over (
        partition by opportunity_id order by is_primary desc nulls last, created_at asc nulls last, opportunity_contact_role_id asc nulls last
    ) = 1
),

source_leads as (
    select
        opportunity_id,
        lead_id
    from {{ ref('int_leads') }}
    where opportunity_id is not null and merged_into_id is null
    qualify row_number() over (partition by opportunity_id order by created_at asc nulls last, lead_id asc nulls last) = 1
),

crm as (
    select
        deals.opportunity_id,
        'salesforce' as source,
        deals.opportunity_name,
        deals.account_id,
        coalesce(deals.contact_id, main_contacts.contact_id) as contact_id,
        main_lines.product_id,
        cast(null as {{ text_type() }}) as stated_lead_id,
        deals.campaign_id,
        deals.lead_source,
        deals.opportunity_type,
        record_types.developer_name as record_type,
        coalesce(deals.process, record_types.developer_name) as process,
        {{ field_names(own, 'deals') }}
        deals.unfit_fields,
        deals.created_at,
        deals.created_by_id,
        deals.close_date,
        cast(null as timestamp) as stated_closed_at,
        deals.stage_name,
        deals.amount,
        deals.currency,
        deals.probability,
        deals.forecast_category,
        deals.owner_id,
        deals.competitor,
        deals.loss_reason,
        deals.discount_rate,
        deals.is_deleted,
        deals.deleted_at,
        case when deals.is_deleted then null else coalesce(deals.last_stage_changed_at, deals.last_modified_at) end as last_changed_at,
        deals.load_id,
        deals.known_from
    from {{ ref('stg_salesforce__opportunities') }} as deals
    left join main_lines on deals.opportunity_id = main_lines.opportunity_id
    left join main_contacts on deals.opportunity_id = main_contacts.opportunity_id
    left join {{ ref('stg_salesforce__record_types') }} as record_types on deals.record_type_id = record_types.record_type_id
),

exported as (
    select
        deals.opportunity_id,
        'files' as source,
        deals.opportunity_name,
        deals.account_id,
        cast(null as {{ text_type() }}) as contact_id,
        deals.product_id,
        deals.lead_id as stated_lead_id,
        deals.campaign_id,
        deals.lead_source,
        deals.opportunity_type,
        cast(null as {{ text_type() }}) as record_type,
        cast(null as {{ text_type() }}) as process,
        {{ field_names(own) }}
        cast(null as {{ text_type() }}) as unfit_fields,
        {{ export_instant('deals.created_at_text', 'context.business_timezone') }} as created_at,
        deals.owner_id as created_by_id,
        deals.close_date,
        {{ export_instant('deals.closed_at_text', 'context.business_timezone') }} as stated_closed_at,
        deals.stage_name,
        deals.amount,
        deals.currency,
        cast(null as decimal(9, 6)) as probability,
        cast(null as {{ text_type() }}) as forecast_category,
        deals.owner_id,
        deals.competitor,
        cast(null as {{ text_type() }}) as loss_reason,
        cast(null as decimal(9, 6)) as discount_rate,
        deals.is_deleted,
        cast(null as timestamp) as deleted_at,
        cast(null as timestamp) as last_changed_at,
        deals.load_id,
        deals.known_from
    from {{ ref('stg_files__opportunities') }} as deals
    cross join context
),

unioned as (
    select * from crm
    union all
    select * from exported
)

select
    {{ all_but('unioned', ['currency', 'probability', 'campaign_id', 'owner_id', 'created_by_id']) }},
    {{ person_of('unioned.owner_id', 'owner_people') }} as owner_id,
    {{ person_of('unioned.created_by_id', 'creator_people') }} as created_by_id,
    coalesce(unioned.stated_lead_id, source_leads.lead_id) as lead_id,
    coalesce(unioned.campaign_id, leads.campaign_id) as campaign_id,
    coalesce(unioned.currency, context.reporting_currency) as currency,
    stages.stage,
    stages.stage_order,
    stages.category,
    stages.is_qualified_pipeline,
    coalesce(unioned.probability, stages.probability) as probability
from unioned
cross join context
left join {{ ref('int_stages') }} as stages on unioned.stage_name = stages.stage_name
left join source_leads on unioned.opportunity_id = source_leads.opportunity_id
left join {{ ref('int_leads') }} as leads on coalesce(unioned.stated_lead_id, source_leads.lead_id) = leads.lead_id
{{ join_person('unioned.owner_id', 'owner_people') }}
{{ join_person('unioned.created_by_id', 'creator_people') }}
