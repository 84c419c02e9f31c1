with context as (select * from {{ ref('int_run_context') }}),

identities as (select * from {{ ref('int_reps__identities') }}),

territories as (
    select
        territory_id,
        lower(territory_name) as name_key,
        lower(developer_name) as developer_key
    from {{ ref('int_territories') }}
),

feed as (
    select
        identities.rep_id,
        personnel.effective_date,
        lag(personnel.effective_date) over by_time is null as is_first,
        lead(personnel.effective_date) over by_time as next_effective_date,
        personnel.role,
        coalesce(personnel.team, 'unassigned') as team,
        managers.rep_id as manager_id,
        personnel.territory,
        identities.hired_date,
        personnel.left_date,
        coalesce(personnel.fte, 1) as fte
    from {{ ref('stg_feeds__personnel') }} as personnel
    inner join identities on personnel.employee_id = identities.employee_id
    left join identities as managers on personnel.manager_employee_id = managers.employee_id
    window by_time as (partition by personnel.employee_id order by personnel.effective_date asc nulls last)
),

versions as (
    select
        feed.rep_id,
        case when feed.is_first then timestamp '1900-01-01' else {{ utc_time('feed.effective_date', 'context.business_timezone') }} end as valid_from,
        coalesce({{ utc_time('feed.next_effective_date', 'context.business_timezone') }}, timestamp '9999-12-31') as valid_to,
        feed.role,
        feed.team as team_id,
        case when feed.team = 'unassigned' then 'Unassigned' else feed.team end as team_name,
        feed.manager_id,
        feed.territory,
        feed.hired_date,
        feed.left_date,
        feed.fte
    from feed
    cross join context
    union all
    -- Whom the feed does not know: one version, as the CRM or the export has it today. Beside a feed such users are not sales people.
    select
        rep_id,
        timestamp '1900-01-01',
        timestamp '9999-12-31',
        case
            when not is_person or exists (select 1 from feed) then 'other'
            when stated_role in ('inside_rep', 'outside_rep', 'sales_manager', 'sales_director') then stated_role
            when is_manager then 'sales_manager'
            else 'rep'
        end,
        case when exists (select 1 from feed) then 'unassigned' else stated_team_id end,
        case when exists (select 1 from feed) then 'Unassigned' else stated_team_name end,
        stated_manager_id,
        stated_territory_id,
        null,
        null,
        1
    from identities
    where rep_id not in (select feed.rep_id from feed)
)

select
    concat(versions.rep_id, ':', cast(cast(versions.valid_from as date) as {{ text_type() }})) as rep_version_id,
    versions.rep_id,
    versions.valid_from,
    versions.valid_to,
    versions.role,
    versions.role in ('inside_rep', 'outside_rep', 'rep') as is_rep,
    versions.team_id,
    versions.team_name,
    versions.manager_id,
    coalesce(territories.territory_id, versions.territory, 'unassigned') as territory_id,
    coalesce(versions.territory, 'Unassigned') as stated_territory,
    versions.hired_date,
    versions.left_date,
    versions.fte
from versions
left join territories
    on lower(versions.territory) in (territories.name_key, territories.developer_key) or versions.territory = territories.territory_id
