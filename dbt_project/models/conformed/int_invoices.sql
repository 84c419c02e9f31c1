{{ config(materialized='view') }}
select
    invoice_id,
    opportunity_id,
    invoice_date,
    due_date,
    amount,
    currency,
    load_id,
    known_from
from {{ ref('stg_feeds__invoices') }}
