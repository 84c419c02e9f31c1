{%- set own = own_fields(ref('stg_salesforce__leads')) -%}
with context as (select * from {{ ref('int_run_context') }}),

statuses as (select * from {{ ref('int_lead_statuses') }}),

campaigns as (
    select
        lead_id,
        campaign_id
    from {{ ref('stg_salesforce__campaign_members') }}
    where lead_id is not null and not is_deleted
    qualify row_number() over (partition by lead_id order by created_at asc nulls last, campaign_member_id asc nulls last) = 1
),

crm as (
    select
        leads.lead_id,
        'salesforce' as source,
        leads.created_at,
        leads.created_by_id,
        leads.lead_source,
        coalesce(stated_campaigns.campaign_id, campaigns.campaign_id) as campaign_id,
        case when stated_campaigns.campaign_id is null then leads.campaign_id end as unknown_campaign_id,
        leads.process,
        leads.segment,
        leads.company,
        leads.industry,
        leads.country,
        leads.employee_count,
        leads.web_visits,
        {{ field_names(own, 'leads') }}
        leads.unfit_fields,
        leads.owner_id,
        queues.group_name as queue_name,
        leads.status_name,
        leads.converted_date,
        cast(null as timestamp) as stated_converted_at,
        cast(null as timestamp) as stated_first_touch_at,
        leads.is_converted,
        leads.converted_account_id,
        leads.converted_contact_id,
        leads.converted_opportunity_id as opportunity_id,
        leads.disqualified_reason,
        leads.email,
        {{ phone_digits('leads.phone') }} as phone_digits,
        {{ phone_digits('leads.mobile_phone') }} as mobile_digits,
        survivors.surviving_lead_id as merged_into_id,
        leads.is_deleted,
        leads.load_id,
        leads.known_from
    from {{ ref('stg_salesforce__leads') }} as leads
    left join {{ ref('int_leads__survivors') }} as survivors on leads.lead_id = survivors.lead_id
    left join campaigns on leads.lead_id = campaigns.lead_id
    left join {{ ref('stg_salesforce__campaigns') }} as stated_campaigns on leads.campaign_id = stated_campaigns.campaign_id
    left join {{ ref('stg_salesforce__groups') }} as queues on leads.owner_id = queues.group_id and queues.group_type = 'Queue'
),

linked_deals as (
    select
        lead_id,
        min(opportunity_id) as opportunity_id
    from {{ ref('stg_files__opportunities') }}
    where lead_id is not null and not is_deleted
    group by lead_id
),

exported as (
    select
        leads.lead_id,
        'files' as source,
        coalesce(
            {{ export_instant('leads.created_at_text', 'context.business_timezone') }},
            {{ export_instant('leads.first_contact_at_text', 'context.business_timezone') }}
        ) as created_at,
        leads.owner_id as created_by_id,
        leads.lead_source,
        leads.campaign_id,
        cast(null as {{ text_type() }}) as unknown_campaign_id,
        cast(null as {{ text_type() }}) as process,
        cast(null as {{ text_type() }}) as segment,
        leads.company,
        leads.industry,
        leads.country,
        cast(null as integer) as employee_count,
        cast(null as bigint) as web_visits,
        {{ field_names(own) }}
        cast(null as {{ text_type() }}) as unfit_fields,
        leads.owner_id,
        cast(null as {{ text_type() }}) as queue_name,
        leads.status_name,
        cast(null as date) as converted_date,
        {{ export_instant('leads.converted_at_text', 'context.business_timezone') }} as stated_converted_at,
        {{ export_instant('leads.first_contact_at_text', 'context.business_timezone') }} as stated_first_touch_at,
        coalesce(leads.opportunity_id, linked_deals.opportunity_id) is not null or leads.converted_at_text is not null as is_converted,
        cast(null as {{ text_type() }}) as converted_account_id,
        cast(null as {{ text_type() }}) as converted_contact_id,
        coalesce(leads.opportunity_id, linked_deals.opportunity_id) as opportunity_id,
        cast(null as {{ text_type() }}) as disqualified_reason,
        cast(null as {{ text_type() }}) as email,
        cast(null as {{ text_type() }}) as phone_digits,
        cast(null as {{ text_type() }}) as mobile_digits,
        cast(null as {{ text_type() }}) as merged_into_id,
        leads.is_deleted,
        leads.load_id,
        leads.known_from
    from {{ ref('stg_files__leads') }} as leads
    cross join context
    left join linked_deals on leads.lead_id = linked_deals.lead_id
),

unioned as (
    select * from crm
    union all
    select * from exported
)

select
    {{ all_but('unioned', ['owner_id', 'created_by_id']) }},
    {{ person_of('unioned.owner_id', 'owner_people') }} as owner_id,
    {{ person_of('unioned.created_by_id', 'creator_people') }} as created_by_id,
    case when unioned.is_converted then 'converted' else statuses.status end as status,
    {{ business_date('unioned.created_at', 'context.business_timezone') }} as created_date,
    not unioned.is_deleted and unioned.merged_into_id is null and unioned.created_at <= context.as_of as is_counted
from unioned
cross join context
left join statuses on unioned.status_name = statuses.status_name
{{ join_person('unioned.owner_id', 'owner_people') }}
{{ join_person('unioned.created_by_id', 'creator_people') }}
