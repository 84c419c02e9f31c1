-- The lead that a contact was before: the first of them where several were converted into one contact.
select
    converted_contact_id as contact_id,
    lead_id
from {{ ref('int_leads') }}
where is_counted and converted_contact_id is not null
qualify row_number() over (partition by converted_contact_id order by created_at asc nulls last, lead_id asc nulls last) = 1
