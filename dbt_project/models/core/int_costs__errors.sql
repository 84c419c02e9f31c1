-- Costs of campaigns and products that nothing else names, or without a rate. They stand beside no lead, deal or product.
with context as (select * from {{ ref('int_run_context') }}),

-- A company without campaigns in its CRM names them in leads and deals all the same.
named_campaigns as (
    select campaign_id from {{ ref('dim_campaigns') }}
    union
    select campaign_id from {{ ref('fct_leads') }}
    union
    select campaign_id from {{ ref('fct_opportunities') }}
),

campaign_costs as (
    select
        costs.*,
        concat(costs.campaign_id, '/', cast(costs.cost_date as {{ text_type() }})) as cost_id
    from {{ ref('int_campaign_costs') }} as costs
),

product_costs as (
    select
        costs.*,
        concat(costs.product_code, '/', cast(costs.valid_from as {{ text_type() }})) as cost_id
    from {{ ref('int_product_costs') }} as costs
),

found as (
    select
        'campaign_cost' as record_type,
        costs.cost_id as record_id,
        'campaign_is_unknown' as rule,
        costs.campaign_id as stated_value,
        costs.load_id,
        costs.known_from
    from campaign_costs as costs
    left join named_campaigns on costs.campaign_id = named_campaigns.campaign_id
    where named_campaigns.campaign_id is null
    union all
    select
        'campaign_cost',
        costs.cost_id,
        'exchange_rate_is_missing',
        {{ missing_rate('costs.currency', 'costs.cost_date') }},
        costs.load_id,
        costs.known_from
    from campaign_costs as costs
    inner join context on costs.cost_date <= context.as_of_date
    {{ join_rate('costs.currency', 'costs.cost_date') }}
    where costs.currency <> context.reporting_currency and rates.rate is null
    union all
    select
        'product_cost',
        costs.cost_id,
        'product_is_unknown',
        costs.product_code,
        costs.load_id,
        costs.known_from
    from product_costs as costs
    left join {{ ref('dim_products') }} as products on costs.product_code = products.product_code
    where products.product_id is null
)

select
    record_type,
    record_id,
    rule,
    stated_value,
    'feeds' as source,
    load_id,
    known_from
from found
