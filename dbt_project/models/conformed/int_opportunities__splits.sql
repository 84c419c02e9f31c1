{{ config(materialized='view') }}
-- What the CRM says of a split besides who and how much is its type: whether the type shares the deal or lies over it is the type's affair.
select
    opportunity_split_id,
    opportunity_id,
    split_owner_id,
    split_rate,
    split_type_id,
    is_deleted,
    load_id,
    known_from
from {{ ref('stg_salesforce__opportunity_splits') }}
