-- Which person each CRM user, exported user and employee is. One person may have several user records (somebody who came back) and several personnel
-- numbers; all of them get one key, which is that of the first user record and does not change when others follow.
with listed_users as (select * from {{ ref('stg_files__users') }}),

-- An export may name owners that no user list explains; they sold, so they are reps.
unlisted_owners as (
    select owner_id from {{ ref('stg_files__opportunities') }}
    where owner_id is not null
    union
    select owner_id from {{ ref('stg_files__leads') }}
    where owner_id is not null
),

users as (
    select
        'salesforce' as source,
        user_id,
        user_name,
        email,
        trim(employee_id) as employee_number,
        is_active,
        created_at
    from {{ ref('stg_salesforce__users') }}
    union all
    select
        'files',
        user_id,
        user_name,
        email,
        null,
        true,
        null
    from listed_users
    union all
    select
        'files',
        owner_id,
        owner_id,
        null,
        null,
        true,
        null
    from unlisted_owners
    where owner_id not in (select listed_users.user_id from listed_users)
),

-- Whoever was hired again under a new number has the mail address and the name of before; a namesake, or who was given a leaver's address, has not
-- both.
employee_names as (
    select
        employee_id,
        email,
        lower(trim(full_name)) as name_key,
        min(effective_date) as first_date
    from {{ ref('stg_feeds__personnel') }}
    group by employee_id, email, lower(trim(full_name))
),

employees as (
    select
        employee_id,
        min(first_employee_id) as group_id
    from (
        select
            employee_id,
            case
                when email is null or name_key is null then employee_id
                else first_value(employee_id) over (
                    partition by email, name_key order by first_date asc nulls last, employee_id asc nulls last
                )
            end as first_employee_id
        from employee_names
    ) as by_name
    group by employee_id
),

-- Some orgs type the same number, or a dash, into every user: one that people of different names and addresses share says nothing, unless it is the
-- number of the one whom the feed describes.
shared_numbers as (
    select employee_number
    from users
    where employee_number is not null
    group by employee_number
    having count(distinct email) > 1 and count(distinct lower(trim(user_name))) > 1
),

by_number as (
    select distinct
        users.user_id,
        employees.group_id
    from users
    inner join employees on users.employee_number = employees.employee_id
    inner join employee_names on employees.employee_id = employee_names.employee_id
    where
        users.employee_number not in (select shared_numbers.employee_number from shared_numbers)
        or users.email = employee_names.email
        or lower(trim(users.user_name)) = employee_names.name_key
),

by_mail as (
    select
        users.user_id,
        employees.group_id,
        lower(trim(users.user_name)) = employee_names.name_key as has_same_name
    from users
    inner join employee_names on users.email = employee_names.email
    inner join employees on employee_names.employee_id = employees.employee_id
    where users.user_id not in (select by_number.user_id from by_number)
),

-- An address that several employees had in turn names one of them only together with the name.
matched as (
    select
        user_id,
        group_id
    from by_number
    union all
    select
        user_id,
        case
            when count(distinct group_id) = 1 then min(group_id)
            when count(distinct case when has_same_name then group_id end) = 1 then min(case when has_same_name then group_id end)
        end
    from by_mail
    group by user_id
),

keyed as (
    select
        users.*,
        matched.group_id,
        case
            when matched.group_id is not null then concat('employee/', matched.group_id)
            when users.source = 'files' then concat('user/', users.user_id)
            when
                users.employee_number is not null
                and users.employee_number not in (select shared_numbers.employee_number from shared_numbers)
                then concat('number/', users.employee_number)
            when users.email is not null and users.user_name is not null then concat('mail/', users.email, '/', lower(trim(users.user_name)))
            else concat('user/', users.user_id)
        end as person_key
    from users
    left join matched on users.user_id = matched.user_id
),

people as (
    select
        *,
        first_value(user_id) over (
            partition by person_key order by created_at asc nulls last, user_id asc nulls last
        ) as rep_id,
        -- Of several user records the one in use says what the person is today.
        row_number() over (
            partition by person_key order by is_active desc nulls last, created_at desc nulls last, user_id asc nulls last
        ) = 1 as is_current
    from keyed
)

select
    'user' as record_kind,
    user_id as record_id,
    rep_id,
    is_current
from people
union all
select
    'employee',
    employees.employee_id,
    coalesce(first_users.rep_id, employees.group_id),
    false
from employees
left join (
    select distinct
        group_id,
        rep_id
    from people
    where group_id is not null
) as first_users on employees.group_id = first_users.group_id
