with named as (
    select
        territory_id,
        max(territory_name) as territory_name
    from {{ ref('dim_rep_versions') }}
    group by territory_id
)

select
    coalesce(territories.territory_id, named.territory_id) as territory_id,
    coalesce(territories.territory_name, named.territory_name) as territory_name,
    territories.parent_territory_id
from named
full outer join {{ ref('int_territories') }} as territories on named.territory_id = territories.territory_id
