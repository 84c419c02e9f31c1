select
    identities.rep_id,
    identities.rep_name,
    coalesce(identities.email, identities.employee_email) as email,
    identities.employee_id,
    versions.role,
    versions.team_id,
    versions.team_name,
    versions.manager_id,
    versions.territory_id,
    versions.territory_name,
    versions.hired_date,
    versions.left_date,
    identities.is_active_user
    and coalesce(versions.hired_date <= context.as_of_date, true)
    and coalesce(versions.left_date >= context.as_of_date, true) as is_active,
    versions.is_rep
from {{ ref('int_reps__identities') }} as identities
cross join {{ ref('int_run_context') }} as context
inner join {{ ref('dim_rep_versions') }} as versions
    on identities.rep_id = versions.rep_id and context.as_of >= versions.valid_from and context.as_of < versions.valid_to
