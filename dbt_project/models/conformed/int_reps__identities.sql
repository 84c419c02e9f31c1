-- One row per person: the user record in use, the personnel number in force, and what the CRM or the export says of them today.
with context as (select * from {{ ref('int_run_context') }}),

people as (select * from {{ ref('int_reps__people') }}),

-- Territories of a model that is not active are a plan, or the past; two at once are no answer.
sf_territories as (
    select
        memberships.user_id,
        case when count(distinct memberships.territory_id) = 1 then min(memberships.territory_id) end as territory_id
    from {{ ref('stg_salesforce__user_territory_associations') }} as memberships
    left join {{ ref('int_territories') }} as territories on memberships.territory_id = territories.territory_id
    where memberships.is_active and coalesce(territories.is_in_force, true)
    group by memberships.user_id
),

crm_users as (
    select
        users.user_id,
        users.user_name,
        users.email,
        users.phone,
        users.is_active,
        users.manager_id,
        sf_territories.territory_id,
        coalesce(mapped_roles.role, mapped_profiles.role, roles.user_role_name, profiles.profile_name) as stated_role,
        users.user_type = 'Standard' as is_person
    from {{ ref('stg_salesforce__users') }} as users
    left join {{ ref('stg_salesforce__user_roles') }} as roles on users.user_role_id = roles.user_role_id
    left join {{ ref('stg_salesforce__profiles') }} as profiles on users.profile_id = profiles.profile_id
    left join {{ ref('stg_settings__roles') }} as mapped_roles on roles.user_role_name = mapped_roles.source_role
    left join {{ ref('stg_settings__roles') }} as mapped_profiles on profiles.profile_name = mapped_profiles.source_role
    left join sf_territories on users.user_id = sf_territories.user_id
),

listed_users as (select * from {{ ref('stg_files__users') }}),

-- A name stands for a manager only where one other person has it.
named_managers as (
    select
        listed.user_id,
        case when count(distinct managers.user_id) = 1 then min(managers.user_id) end as manager_id
    from listed_users as listed
    inner join listed_users as managers on listed.manager_name = managers.user_name and listed.user_id <> managers.user_id
    group by listed.user_id
),

users as (
    select
        crm_users.*,
        cast(null as {{ text_type() }}) as stated_team
    from crm_users
    union all
    select
        listed.user_id,
        listed.user_name,
        listed.email,
        null,
        true,
        coalesce(listed.manager_id, named_managers.manager_id),
        listed.territory,
        listed.role,
        true,
        coalesce(listed.team, 'unassigned')
    from listed_users as listed
    left join named_managers on listed.user_id = named_managers.user_id
),

-- What the user record in use says, and who is managed by whom in terms of people.
current_users as (
    select
        people.rep_id,
        coalesce(users.user_name, people.record_id) as user_name,
        users.email,
        users.phone,
        coalesce(users.is_active, true) as is_active,
        managers.rep_id as manager_id,
        users.stated_team,
        users.territory_id,
        users.stated_role,
        coalesce(users.is_person, true) as is_person
    from people
    left join users on people.record_id = users.user_id
    left join people as managers on users.manager_id = managers.record_id and managers.record_kind = 'user'
    where people.record_kind = 'user' and people.is_current
),

-- The row in force of each employee: the latest of those that have begun, else the first to come.
employees as (
    select
        people.rep_id,
        personnel.employee_id,
        personnel.email,
        personnel.full_name
    from {{ ref('stg_feeds__personnel') }} as personnel
    cross join context
    inner join people on personnel.employee_id = people.record_id and people.record_kind = 'employee'
    qualify row_number() over (
        partition by people.rep_id
        order by
            personnel.effective_date <= context.as_of_date desc nulls last,
            case when personnel.effective_date <= context.as_of_date then personnel.effective_date end desc nulls last,
            personnel.effective_date asc nulls last,
            personnel.employee_id asc nulls last
    ) = 1
),

-- Whoever owns a deal or a lead sells: it is the only sign where no source says what a person's role is.
owners as (
    select distinct people.rep_id
    from people
    inner join (
        select owner_id from {{ ref('stg_salesforce__opportunities') }}
        where not is_deleted
        union
        select owner_id from {{ ref('stg_salesforce__leads') }}
        where not is_deleted
        union
        select owner_id from {{ ref('stg_files__opportunities') }}
        union
        select owner_id from {{ ref('stg_files__leads') }}
    ) as records on people.record_id = records.owner_id
    where people.record_kind = 'user'
),

managers as (
    select distinct manager_id from current_users
    where manager_id is not null and is_active and manager_id <> rep_id
)

select
    coalesce(current_users.rep_id, employees.rep_id) as rep_id,
    coalesce(current_users.user_name, employees.full_name) as rep_name,
    coalesce(current_users.email, employees.email) as email,
    employees.employee_id,
    employees.email as employee_email,
    current_users.phone,
    coalesce(current_users.is_active, true) as is_active_user,
    current_users.manager_id as stated_manager_id,
    coalesce(current_users.stated_team, current_users.manager_id, 'unassigned') as stated_team_id,
    coalesce(
        case when current_users.stated_team = 'unassigned' then 'Unassigned' else current_users.stated_team end,
        manager_users.user_name, 'Unassigned'
    ) as stated_team_name,
    current_users.territory_id as stated_territory_id,
    current_users.stated_role,
    coalesce(current_users.is_person, true) as is_person,
    coalesce(current_users.rep_id, employees.rep_id) in (select managers.manager_id from managers) as is_manager,
    coalesce(current_users.rep_id, employees.rep_id) in (select owners.rep_id from owners) as is_owner
from current_users
full outer join employees on current_users.rep_id = employees.rep_id
left join current_users as manager_users on current_users.manager_id = manager_users.rep_id
