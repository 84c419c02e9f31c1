with context as (select * from {{ ref('int_run_context') }}),

costs as (
    select
        costs.campaign_id,
        max(costs.cost_source) as cost_source,
        sum({{ in_reporting_currency('costs.amount', 'coalesce(costs.currency, context.reporting_currency)') }}) as cost_amount
    from {{ ref('int_campaign_costs') }} as costs
    inner join context on costs.cost_date <= context.as_of_date
    {{ join_rate('coalesce(costs.currency, context.reporting_currency)', 'costs.cost_date') }}
    group by costs.campaign_id
),

leads as (
    select
        campaign_id,
        count(*) as leads_generated,
        count(case when is_qualified then 1 end) as leads_qualified,
        count(case when is_converted then 1 end) as leads_converted
    from {{ ref('fct_leads') }}
    where is_counted and campaign_id is not null
    group by campaign_id
),

deals as (
    select
        campaign_id,
        count(*) as deals_created,
        count(case when not is_closed then 1 end) as open_deals,
        count(case when is_won then 1 end) as deals_closed,
        count(case when is_lost then 1 end) as deals_lost,
        sum(case when not is_closed then amount_reporting end) as open_pipeline,
        sum(case when is_won then amount_reporting end) as won_amount
    from {{ ref('fct_opportunities') }}
    where is_counted and campaign_id is not null
    group by campaign_id
),

named as (
    select campaign_id from {{ ref('dim_campaigns') }}
    union
    select campaign_id from costs
    union
    select campaign_id from leads
    union
    select campaign_id from deals
),

campaigns as (
    select
        named.campaign_id,
        dim_campaigns.campaign_name,
        dim_campaigns.campaign_type,
        -- No cost is not a cost of 0.
        cast(costs.cost_amount as decimal(28, 2)) as cost_amount,
        costs.cost_source,
        coalesce(leads.leads_generated, 0) as leads_generated,
        coalesce(leads.leads_qualified, 0) as leads_qualified,
        coalesce(leads.leads_converted, 0) as leads_converted,
        coalesce(deals.deals_created, 0) as deals_created,
        coalesce(deals.open_deals, 0) as open_deals,
        coalesce(deals.deals_closed, 0) as deals_closed,
        coalesce(deals.deals_lost, 0) as deals_lost,
        cast(coalesce(deals.open_pipeline, 0) as decimal(28, 2)) as open_pipeline,
        cast(coalesce(deals.won_amount, 0) as decimal(28, 2)) as won_amount
    from named
    left join {{ ref('dim_campaigns') }} as dim_campaigns on named.campaign_id = dim_campaigns.campaign_id
    left join costs on named.campaign_id = costs.campaign_id
    left join leads on named.campaign_id = leads.campaign_id
    left join deals on named.campaign_id = deals.campaign_id
)

select
    *,
    {{ rate_columns('return_ratio', '(won_amount - cost_amount)', 'cost_amount') }},
    {{ rate_columns('cost_per_lead', 'cost_amount', 'leads_generated') }}
from campaigns
