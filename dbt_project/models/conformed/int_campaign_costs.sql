-- A campaign is matched as it was stated, else by its long id. A deleted one has its costs all the same.
with campaigns as (select campaign_id from {{ ref('stg_salesforce__campaigns') }}),

campaigns_by_long_id as (
    {{ records_by_long_id('campaigns', 'campaign_id') }}
)

select
    coalesce(stated.campaign_id, campaigns_by_long_id.record_id, trim(costs.campaign_id)) as campaign_id,
    costs.cost_date,
    costs.amount,
    costs.currency,
    costs.load_id,
    costs.known_from
from {{ ref('stg_feeds__campaign_costs') }} as costs
left join campaigns as stated on trim(costs.campaign_id) = stated.campaign_id
left join campaigns_by_long_id on {{ long_record_id('costs.campaign_id') }} = campaigns_by_long_id.long_id
