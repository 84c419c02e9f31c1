-- Absences of employees whom nobody knows: they shorten no one's working time. Why somebody was away is not repeated here.
with identities as (
    select record_id as employee_id from {{ ref('int_reps__people') }}
    where record_kind = 'employee'
)

select
    'absence' as record_type,
    concat(absences.employee_id, '/', cast(absences.start_date as {{ text_type() }})) as record_id,
    'absent_employee_is_unknown' as rule,
    absences.employee_id as stated_value,
    'feeds' as source,
    max(absences.load_id) as load_id,
    max(absences.known_from) as known_from
from {{ ref('int_absences') }} as absences
left join identities on absences.employee_id = identities.employee_id
where identities.employee_id is null
group by absences.employee_id, absences.start_date
