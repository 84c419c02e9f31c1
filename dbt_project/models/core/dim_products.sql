with context as (select * from {{ ref('int_run_context') }}),

prices as (
    select
        prices.product_id,
        max(prices.unit_price) as list_price
    from {{ ref('int_product_prices') }} as prices
    inner join context on coalesce(prices.currency, context.reporting_currency) = context.reporting_currency
    group by prices.product_id
),

costs as (
    select
        product_code,
        unit_cost_amount,
        currency
    from {{ ref('int_product_costs') }}
    inner join context on valid_from <= context.as_of_date
    qualify row_number() over (partition by product_code order by valid_from desc nulls last) = 1
)

select
    products.product_id,
    products.product_name,
    products.product_code,
    products.family,
    coalesce(prices.list_price, products.stated_list_price) as list_price,
    costs.unit_cost_amount,
    costs.currency as unit_cost_currency,
    products.is_active
from {{ ref('int_products') }} as products
left join prices on products.product_id = prices.product_id
left join costs on products.product_code = costs.product_code
