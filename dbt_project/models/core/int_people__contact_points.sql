-- One row per phone number or mail address of a person on file, with all that the person leads to.
with leads as (
    select
        coalesce(leads.merged_into_id, leads.lead_id) as person_id,
        coalesce(leads.merged_into_id, leads.lead_id) as lead_id,
        survivors.converted_contact_id as contact_id,
        survivors.converted_account_id as account_id,
        survivors.owner_id,
        leads.created_at,
        leads.email,
        leads.phone_digits,
        leads.mobile_digits
    from {{ ref('int_leads') }} as leads
    inner join {{ ref('int_leads') }} as survivors on coalesce(leads.merged_into_id, leads.lead_id) = survivors.lead_id
    where not survivors.is_deleted
),

contacts as (
    select
        contacts.surviving_contact_id as person_id,
        converted.lead_id,
        contacts.surviving_contact_id as contact_id,
        contacts.account_id,
        contacts.owner_id,
        contacts.created_at,
        contacts.email,
        contacts.phone_digits,
        contacts.mobile_digits
    from {{ ref('int_contacts') }} as contacts
    left join {{ ref('int_people__converted_leads') }} as converted on contacts.surviving_contact_id = converted.contact_id
    where not contacts.is_deleted
),

people as (
    select
        *,
        'lead' as person_kind
    from leads
    union all
    select
        *,
        'contact' as person_kind
    from contacts
),

points as (
    select
        *,
        'email' as point_kind,
        email as point_value
    from people
    where email is not null
    union all
    select
        *,
        'phone' as point_kind,
        phone_digits as point_value
    from people
    where phone_digits is not null
    union all
    select
        *,
        'phone' as point_kind,
        mobile_digits as point_value
    from people
    where mobile_digits is not null
)

-- A converted lead and its contact are one person: the contact stands for both.
select
    point_kind,
    point_value,
    coalesce(contact_id, lead_id) as person_id,
    max(lead_id) as lead_id,
    max(contact_id) as contact_id,
    max(account_id) as account_id,
    max(owner_id) as owner_id,
    min(created_at) as created_at
from points
group by point_kind, point_value, coalesce(contact_id, lead_id)
