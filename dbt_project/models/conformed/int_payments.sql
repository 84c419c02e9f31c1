{{ config(materialized='view') }}
select
    payment_id,
    invoice_id,
    payment_date,
    amount,
    currency,
    load_id,
    known_from
from {{ ref('stg_feeds__payments') }}
