with recursive merged as (
    select
        lead_id,
        master_record_id
    from {{ ref('stg_salesforce__leads') }}
    where master_record_id is not null
),

-- A survivor may itself be merged away later: follow the chain to its end.
chain as (
    select
        lead_id,
        master_record_id as surviving_lead_id,
        1 as merge_count
    from merged
    union all
    select
        chain.lead_id,
        merged.master_record_id,
        chain.merge_count + 1
    from chain
    inner join merged on chain.surviving_lead_id = merged.lead_id
    where chain.merge_count < 50
)

select
    lead_id,
    surviving_lead_id,
    merge_count
from chain
qualify row_number() over (partition by lead_id order by merge_count desc nulls last) = 1
