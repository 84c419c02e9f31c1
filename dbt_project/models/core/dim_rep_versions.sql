select
    versions.rep_version_id,
    versions.rep_id,
    versions.valid_from,
    versions.valid_to,
    versions.role,
    versions.is_rep,
    versions.team_id,
    versions.team_name,
    versions.manager_id,
    versions.territory_id,
    coalesce(territories.territory_name, versions.stated_territory) as territory_name,
    versions.hired_date,
    versions.left_date,
    versions.fte
from {{ ref('int_reps__versions') }} as versions
left join {{ ref('int_territories') }} as territories on versions.territory_id = territories.territory_id
