-- The phone numbers and mail addresses of our own people, each with the time that it was theirs. Numbers and addresses move: whose one is at an
-- instant is asked of `resolve_rep`, never of the value alone.
with people as (select * from {{ ref('int_reps__people') }}),

context as (select * from {{ ref('int_run_context') }}),

user_versions as (
    select
        people.rep_id,
        versions.user_id,
        versions.email,
        versions.phone,
        versions.mobile_phone,
        versions.is_active as is_in_use,
        case
            when lag(versions.user_id) over by_time is null then least(versions.created_at, versions.system_modified_at)
            else versions.system_modified_at
        end as valid_from,
        coalesce(lead(versions.system_modified_at) over by_time, timestamp '9999-12-31') as valid_to
    from {{ ref('stg_salesforce__user_versions') }} as versions
    inner join people on versions.user_id = people.record_id and people.record_kind = 'user'
    window by_time as (partition by versions.user_id order by versions.system_modified_at asc nulls last, versions.load_id asc nulls last)
),

employments as (
    select
        people.rep_id,
        personnel.email,
        {{ utc_time('coalesce(personnel.hired_date, personnel.effective_date)', 'context.business_timezone') }} as valid_from,
        coalesce({{ utc_time(add_days('personnel.left_date', 1), 'context.business_timezone') }}, timestamp '9999-12-31') as valid_to
    from {{ ref('stg_feeds__personnel') }} as personnel
    cross join context
    inner join people on personnel.employee_id = people.record_id and people.record_kind = 'employee'
),

listed as (
    select
        people.rep_id,
        users.email
    from {{ ref('stg_files__users') }} as users
    inner join people on users.user_id = people.record_id and people.record_kind = 'user'
),

points as (
    {%- for column, kind in [('phone', 'phone'), ('mobile_phone', 'phone'), ('email', 'email')] %}
        select
            rep_id,
            '{{ kind }}' as point_kind,
            {{ phone_digits(column) if kind == 'phone' else column }} as point_value,
            is_in_use,
            valid_from,
            valid_to
        from user_versions
        union all
    {%- endfor %}
    select
        rep_id,
        'email',
        email,
        true,
        valid_from,
        valid_to
    from employments
    union all
    select
        rep_id,
        'email',
        email,
        true,
        timestamp '1900-01-01',
        timestamp '9999-12-31'
    from listed
),

counted as (
    select
        point_kind,
        point_value,
        count(distinct rep_id) as person_count
    from points
    where point_value is not null
    group by point_kind, point_value
)

select
    points.rep_id,
    points.point_kind,
    points.point_value,
    points.is_in_use,
    points.valid_from,
    points.valid_to,
    counted.person_count
from points
inner join counted on points.point_kind = counted.point_kind and points.point_value = counted.point_value
