with context as (select * from {{ ref('int_run_context') }}),

identities as (select * from {{ ref('int_reps__identities') }}),

people as (
    select * from {{ ref('int_reps__people') }}
    where record_kind = 'employee'
),

-- A name stands for a territory in force where one has it.
territories as (
    select
        name_key,
        min(territory_id) as territory_id
    from (
        select
            territory_id,
            lower(territory_name) as name_key
        from {{ ref('int_territories') }}
        where is_in_force
        union
        select
            territory_id,
            lower(developer_name)
        from {{ ref('int_territories') }}
        where is_in_force
        union
        select
            territory_id,
            lower(territory_id)
        from {{ ref('int_territories') }}
    ) as named
    where name_key is not null
    group by name_key
    having count(distinct territory_id) = 1
),

-- A person's rows under all their numbers, one per day that something changes.
rows_by_person as (
    select
        people.rep_id,
        personnel.*
    from {{ ref('stg_feeds__personnel') }} as personnel
    inner join people on personnel.employee_id = people.record_id
    qualify row_number() over (
        partition by people.rep_id, personnel.effective_date
        order by personnel.left_date is null desc nulls last, personnel.employee_id desc nulls last
    ) = 1
),

feed as (
    select
        personnel.rep_id,
        personnel.employee_id,
        personnel.effective_date,
        lag(personnel.effective_date) over by_time is null as is_first,
        lead(personnel.effective_date) over by_time as next_effective_date,
        personnel.role,
        coalesce(personnel.team, 'unassigned') as team,
        managers.rep_id as manager_id,
        personnel.territory,
        personnel.hired_date,
        personnel.left_date,
        coalesce(personnel.fte, 1) as fte
    from rows_by_person as personnel
    left join people as managers on personnel.manager_employee_id = managers.record_id
    window by_time as (partition by personnel.rep_id order by personnel.effective_date asc nulls last)
),

versions as (
    select
        feed.rep_id,
        feed.employee_id,
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
    -- People who are not in the feed: one version, as the CRM or the export has it today. If there is a feed, they are not in sales. If nothing
    -- states a role, people who manage active users are managers, others who own deals or leads are reps, and the rest are unknown.
    select
        rep_id,
        null,
        timestamp '1900-01-01',
        timestamp '9999-12-31',
        case
            when not is_person or exists (select 1 from feed) then 'other'
            when stated_role in ('inside_rep', 'outside_rep', 'rep', 'sales_manager', 'sales_director', 'other') then stated_role
            when is_manager then 'sales_manager'
            when is_owner then 'rep'
            else 'unknown'
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
    versions.employee_id,
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
left join territories on lower(versions.territory) = territories.name_key
