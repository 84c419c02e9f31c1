-- Who is credited with a deal: the people of the CRM's splits by their percentages, or its credited owner alone where no split shares it. Overlays
-- stand beside, by their kind, and count only where a plan names it.
with opportunities as (select * from {{ ref('fct_opportunities') }}),

splits as (
    select
        opportunity_id,
        split_owner_id as rep_id,
        split_type_id,
        max(split_type_name) as split_type_name,
        max(is_sharing) as is_sharing,
        cast(sum(split_rate * 1000000) as bigint) as credit_weight
    from {{ ref('int_opportunities__splits') }}
    where not is_deleted and split_rate > 0
    group by opportunity_id, split_owner_id, split_type_id
),

credits as (
    select
        splits.opportunity_id,
        splits.rep_id,
        splits.split_type_id,
        splits.split_type_name,
        splits.is_sharing,
        case when splits.is_sharing then 'opportunity_split' else 'overlay' end as credit_basis,
        splits.credit_weight
    from splits
    inner join opportunities on splits.opportunity_id = opportunities.opportunity_id
    union all
    select
        opportunities.opportunity_id,
        opportunities.rep_id,
        null,
        null,
        true,
        'owner',
        1
    from opportunities
    left join splits on opportunities.opportunity_id = splits.opportunity_id and splits.is_sharing
    where opportunities.rep_id is not null and splits.opportunity_id is null
)

select
    concat(opportunity_id, '/', coalesce(split_type_id, credit_basis), '/', rep_id) as opportunity_credit_id,
    opportunity_id,
    rep_id,
    split_type_id,
    split_type_name,
    is_sharing,
    credit_basis,
    credit_weight
from credits
