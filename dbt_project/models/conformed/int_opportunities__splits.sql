-- Splits of deals, and whether their kind shares the deal: its shares are validated to 100 % and are of the amount. Overlays are paid beside it and
-- take nothing from anybody. Where the kinds cannot be read, the one whose shares add up to the whole deal shares it,
-- or the only one that the deal has.
with splits as (
    select
        splits.opportunity_split_id,
        splits.opportunity_id,
        {{ person_of('splits.split_owner_id', 'people') }} as split_owner_id,
        splits.split_rate,
        splits.split_type_id,
        types.developer_name as split_type_name,
        types.is_total_validated,
        types.split_field,
        types.split_type_id is not null as is_type_known,
        sum(case when not splits.is_deleted then splits.split_rate end) over (partition by splits.opportunity_id, splits.split_type_id) as type_total,
        dense_rank() over (partition by splits.opportunity_id order by splits.split_type_id asc nulls last)
        + dense_rank() over (partition by splits.opportunity_id order by splits.split_type_id desc nulls last) - 1 as type_count,
        splits.is_deleted,
        splits.load_id,
        splits.known_from
    from {{ ref('stg_salesforce__opportunity_splits') }} as splits
    left join {{ ref('stg_salesforce__opportunity_split_types') }} as types on splits.split_type_id = types.split_type_id
    {{ join_person('splits.split_owner_id', 'people') }}
)

select
    opportunity_split_id,
    opportunity_id,
    split_owner_id,
    split_rate,
    split_type_id,
    split_type_name,
    case
        when is_type_known then coalesce(is_total_validated, false) and coalesce(split_field in ('Amount', 'Opportunity.Amount'), true)
        else type_total = 1 or type_count = 1
    end as is_sharing,
    is_deleted,
    load_id,
    known_from
from splits
