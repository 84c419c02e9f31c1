-- Everybody who takes part in a deal: its contact roles, and the contact that the deal itself names.
select
    opportunity_id,
    contact_id
from {{ ref('stg_salesforce__opportunity_contact_roles') }}
where not is_deleted and contact_id is not null
union
select
    opportunity_id,
    contact_id
from {{ ref('stg_salesforce__opportunities') }}
where contact_id is not null
