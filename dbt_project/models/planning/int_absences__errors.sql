-- Absences of employees whom nobody knows: they shorten no one's working time.
with identities as (select distinct employee_id from {{ ref('int_reps__identities') }})

select
    'absence' as record_type,
    concat(absences.employee_id, '/', cast(absences.start_date as {{ text_type() }}), '/', absences.kind) as record_id,
    'absent_employee_is_unknown' as rule,
    absences.employee_id as stated_value,
    'feeds' as source,
    absences.load_id,
    absences.known_from
from {{ ref('int_absences') }} as absences
left join identities on absences.employee_id = identities.employee_id
where identities.employee_id is null
