-- Every staging model's key is complete and names one record. One test for all of them: a test each would double the time of a build, and
-- staging keeps one version per key by construction.
{%- set keys = {
    'stg_salesforce__users': ['user_id'],
    'stg_salesforce__user_roles': ['user_role_id'],
    'stg_salesforce__accounts': ['account_id'],
    'stg_salesforce__contacts': ['contact_id'],
    'stg_salesforce__leads': ['lead_id'],
    'stg_salesforce__lead_history': ['history_id'],
    'stg_salesforce__account_history': ['history_id'],
    'stg_salesforce__contact_history': ['history_id'],
    'stg_salesforce__opportunity_field_history': ['history_id'],
    'stg_salesforce__opportunities': ['opportunity_id'],
    'stg_salesforce__opportunity_history': ['opportunity_history_id'],
    'stg_salesforce__opportunity_contact_roles': ['opportunity_contact_role_id'],
    'stg_salesforce__opportunity_line_items': ['opportunity_line_item_id'],
    'stg_salesforce__opportunity_splits': ['opportunity_split_id'],
    'stg_salesforce__products': ['product_id'],
    'stg_salesforce__pricebook_entries': ['pricebook_entry_id'],
    'stg_salesforce__campaigns': ['campaign_id'],
    'stg_salesforce__campaign_members': ['campaign_member_id'],
    'stg_salesforce__tasks': ['task_id'],
    'stg_salesforce__events': ['event_id'],
    'stg_salesforce__currency_types': ['currency_type_id'],
    'stg_salesforce__dated_conversion_rates': ['dated_conversion_rate_id'],
    'stg_salesforce__territories': ['territory_id'],
    'stg_salesforce__user_territory_associations': ['user_territory_association_id'],
    'stg_salesforce__event_relations': ['event_relation_id'],
    'stg_salesforce__opportunity_split_types': ['split_type_id'],
    'stg_salesforce__territory_models': ['territory_model_id'],
    'stg_salesforce__record_types': ['record_type_id'],
    'stg_salesforce__profiles': ['profile_id'],
    'stg_salesforce__groups': ['group_id'],
    'stg_telephony__calls': ['call_leg_id'],
    'stg_mail__messages': ['message_key', 'mailbox'],
    'stg_feeds__personnel': ['employee_id', 'effective_date'],
    'stg_feeds__absences': ['employee_id', 'start_date', 'kind'],
    'stg_feeds__quotas': ['employee_id', 'period_start'],
    'stg_feeds__invoices': ['invoice_id'],
    'stg_feeds__payments': ['payment_id'],
    'stg_feeds__campaign_costs': ['campaign_id', 'cost_date'],
    'stg_feeds__product_costs': ['product_code', 'valid_from'],
    'stg_feeds__exchange_rates': ['from_currency', 'to_currency', 'rate_date'],
    'stg_files__opportunities': ['opportunity_id'],
    'stg_files__leads': ['lead_id'],
    'stg_files__accounts': ['account_id'],
    'stg_files__users': ['user_id'],
    'stg_files__products': ['product_id'],
    'stg_settings__org': ['settings_hash'],
    'stg_settings__stages': ['stage_name'],
    'stg_settings__lead_statuses': ['status_name'],
    'stg_settings__roles': ['source_role'],
    'stg_settings__holidays': ['holiday_date'],
    'stg_settings__email_domains': ['domain']
} %}

with counts as (
    {%- for model, columns in keys.items() %}
        select
            '{{ model }}' as model,
            count(*) as record_count,
            count(distinct concat_ws('|', {{ columns | join(", ") }})) as key_count,
            count(case when {{ columns | join(" is null or ") }} is null then 1 end) as incomplete_count
        from {{ ref(model) }}
        {{ "union all" if not loop.last }}
    {%- endfor %}
)

select *
from counts
where record_count <> key_count or incomplete_count > 0
