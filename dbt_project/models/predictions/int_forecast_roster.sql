-- Who could win deals on each as-of day.
with instants as (
    select distinct as_of_date from {{ ref('int_feature_instants') }}
    where instant_kind in ('run', 'same_day')
)

select
    instants.as_of_date,
    versions.rep_id,
    coalesce(versions.team_id, 'unassigned') as team_id,
    versions.role,
    {{ days_between('versions.hired_date', 'instants.as_of_date') }} as tenure_days
from instants
cross join {{ ref('int_run_context') }} as context
inner join {{ ref('dim_rep_versions') }} as versions
    on
        versions.valid_from <= {{ utc_time('instants.as_of_date', 'context.business_timezone') }}
        and versions.valid_to > {{ utc_time('instants.as_of_date', 'context.business_timezone') }}
where
    versions.is_rep
    and coalesce(versions.hired_date <= instants.as_of_date, true)
    and coalesce(versions.left_date >= instants.as_of_date, true)
