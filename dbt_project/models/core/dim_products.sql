with context as (select * from {{ ref('int_run_context') }}),

prices as (
    select
        entries.product_id,
        max(entries.unit_price) as list_price
    from {{ ref('stg_salesforce__pricebook_entries') }} as entries
    inner join context on coalesce(entries.currency, context.reporting_currency) = context.reporting_currency
    where entries.is_active and not entries.is_deleted
    group by entries.product_id
),

costs as (
    select
        product_code,
        unit_cost_amount,
        currency
    from {{ ref('stg_feeds__product_costs') }}
    inner join context on valid_from <= context.as_of_date
    qualify row_number() over (partition by product_code order by valid_from desc nulls last) = 1
)

select
    products.product_id,
    products.product_name,
    products.product_code,
    products.family,
    prices.list_price,
    costs.unit_cost_amount,
    costs.currency as unit_cost_currency,
    products.is_active and not products.is_deleted as is_active
from {{ ref('stg_salesforce__products') }} as products
left join prices on products.product_id = prices.product_id
left join costs on products.product_code = costs.product_code
union all
select
    product_id,
    product_name,
    cast(null as varchar),
    family,
    list_price_amount,
    cast(null as decimal(28, 2)),
    cast(null as varchar),
    true
from {{ ref('stg_files__products') }}
