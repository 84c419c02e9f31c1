{{ config(materialized='view') }}
-- A contact that was merged away stands for its survivor: activities still name it.
select
    contact_id,
    coalesce(master_record_id, contact_id) as surviving_contact_id,
    account_id,
    owner_id,
    created_at,
    email,
    {{ phone_digits('phone') }} as phone_digits,
    {{ phone_digits('mobile_phone') }} as mobile_digits,
    is_person_account,
    is_deleted and master_record_id is null as is_deleted
from {{ ref('stg_salesforce__contacts') }}
