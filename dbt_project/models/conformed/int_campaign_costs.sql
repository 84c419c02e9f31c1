-- What campaigns cost: by the feed, and of a campaign that no feed names what the CRM has as its actual cost, on its last day so far. A campaign is
-- matched as it was stated, else by its long id; a deleted one has its costs all the same.
with campaigns as (select campaign_id from {{ ref('stg_salesforce__campaigns') }}),

campaigns_by_long_id as (
    {{ records_by_long_id('campaigns', 'campaign_id') }}
),

stated_costs as (
    select
        coalesce(stated.campaign_id, campaigns_by_long_id.record_id, trim(costs.campaign_id)) as campaign_id,
        'feed' as cost_source,
        costs.cost_date,
        costs.amount,
        costs.currency,
        costs.load_id,
        costs.known_from
    from {{ ref('stg_feeds__campaign_costs') }} as costs
    left join campaigns as stated on trim(costs.campaign_id) = stated.campaign_id
    left join campaigns_by_long_id on {{ long_record_id('costs.campaign_id') }} = campaigns_by_long_id.long_id
)

select * from stated_costs
union all
select
    campaigns.campaign_id,
    'crm',
    least(coalesce(campaigns.end_date, campaigns.start_date, context.as_of_date), context.as_of_date),
    campaigns.actual_cost_amount,
    campaigns.currency,
    campaigns.load_id,
    campaigns.known_from
from {{ ref('stg_salesforce__campaigns') }} as campaigns
cross join {{ ref('int_run_context') }} as context
where
    not campaigns.is_deleted and campaigns.actual_cost_amount is not null
    and campaigns.campaign_id not in (select stated_costs.campaign_id from stated_costs)
