-- What cannot be right about a lead. It counts as created; a status that is not mapped reads as unknown, and durations over impossible dates do not
-- count.
with leads as (
    select * from {{ ref('fct_leads') }}
    where is_counted
),

found as (
    select
        lead_id,
        'lead_status_is_unknown' as rule,
        status_name as stated_value
    from {{ ref('int_leads') }}
    where status is null and status_name is not null
    union all
    select
        lead_id,
        'field_does_not_fit',
        unfit_fields
    from {{ ref('int_leads') }}
    where unfit_fields is not null
    union all
    select
        lead_id,
        'campaign_of_lead_is_unknown',
        unknown_campaign_id
    from {{ ref('int_leads') }}
    where unknown_campaign_id is not null
    union all
    select
        lead_id,
        data_error,
        cast(created_date as {{ text_type() }})
    from leads
    where data_error is not null
)

select
    'lead' as record_type,
    leads.lead_id as record_id,
    found.rule,
    found.stated_value,
    leads.source,
    leads.load_id,
    leads.known_from
from found
inner join leads on found.lead_id = leads.lead_id
