{{ config(materialized='view') }}
-- The split type says whether a split shares the deal (revenue) or is paid beside it (overlay); the CRM gives its id only.
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
