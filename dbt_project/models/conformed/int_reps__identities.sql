with sf_territories as (
    select
        user_id,
        min(territory_id) as territory_id
    from {{ ref('stg_salesforce__user_territory_associations') }}
    where is_active
    group by user_id
),

crm_users as (
    select
        users.user_id,
        users.user_name,
        users.email,
        users.phone,
        users.employee_id as employee_number,
        users.is_active,
        users.manager_id,
        coalesce(users.manager_id, 'unassigned') as team_id,
        coalesce(managers.user_name, 'Unassigned') as team_name,
        sf_territories.territory_id,
        roles.user_role_name as stated_role,
        users.user_type = 'Standard' as is_person
    from {{ ref('stg_salesforce__users') }} as users
    left join {{ ref('stg_salesforce__users') }} as managers on users.manager_id = managers.user_id
    left join {{ ref('stg_salesforce__user_roles') }} as roles on users.user_role_id = roles.user_role_id
    left join sf_territories on users.user_id = sf_territories.user_id
),

listed_users as (select * from {{ ref('stg_files__users') }}),

-- An export may name owners that no user list explains; they sold, so they are reps.
unlisted_owners as (
    select owner_id from {{ ref('stg_files__opportunities') }}
    where owner_id is not null
    union
    select owner_id from {{ ref('stg_files__leads') }}
    where owner_id is not null
),

users as (
    select * from crm_users
    union all
    select
        listed.user_id,
        listed.user_name,
        listed.email,
        null,
        null,
        true,
        managers.user_id,
        coalesce(listed.team, 'unassigned'),
        coalesce(listed.team, 'Unassigned'),
        listed.territory,
        listed.role,
        true
    from listed_users as listed
    left join listed_users as managers on listed.manager_name = managers.user_name
    union all
    select
        owner_id,
        owner_id,
        null,
        null,
        null,
        true,
        null,
        'unassigned',
        'Unassigned',
        null,
        null,
        true
    from unlisted_owners
    where owner_id not in (select listed_users.user_id from listed_users)
),

-- The personnel feed's latest row of each employee.
employees as (
    select *
    from {{ ref('stg_feeds__personnel') }}
    qualify row_number() over (partition by employee_id order by effective_date desc nulls last) = 1
),

hired as (
    select
        employee_id,
        min(hired_date) as hired_date,
        max(left_date) as left_date
    from {{ ref('stg_feeds__personnel') }}
    group by employee_id
),

-- By employee number, else by mail address; of several users of one employee the active one keeps the events of that employee.
matched as (
    select
        users.user_id,
        employees.employee_id
    from users
    inner join employees
        on
            users.employee_number = employees.employee_id
            or (users.employee_number is null and users.email = employees.email)
    qualify row_number() over (
        partition by employees.employee_id order by users.is_active desc nulls last, users.user_id asc nulls last
    ) = 1
)

select
    coalesce(users.user_id, employees.employee_id) as rep_id,
    coalesce(users.user_name, employees.full_name) as rep_name,
    coalesce(users.email, employees.email) as email,
    employees.employee_id,
    employees.email as employee_email,
    {{ phone_digits('users.phone') }} as phone_digits,
    coalesce(users.is_active, true) as is_active_user,
    users.manager_id as stated_manager_id,
    coalesce(users.team_id, 'unassigned') as stated_team_id,
    coalesce(users.team_name, 'Unassigned') as stated_team_name,
    users.territory_id as stated_territory_id,
    users.stated_role,
    coalesce(users.is_person, true) as is_person,
    users.user_id in (
        select managed.manager_id from users as managed
        where managed.manager_id is not null
    ) as is_manager,
    hired.hired_date,
    hired.left_date
from users
left join matched on users.user_id = matched.user_id
full outer join employees on matched.employee_id = employees.employee_id
left join hired on employees.employee_id = hired.employee_id
