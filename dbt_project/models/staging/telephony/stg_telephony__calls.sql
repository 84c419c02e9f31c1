-- Read by several models: parsed once.
{{ config(materialized='table') }}

select
    sid as call_leg_id,
    parent_call_sid as parent_call_leg_id,
    account_sid as telephony_account_id,
    "from" as from_phone,
    "to" as to_phone,
    direction,
    status,
    {{ rfc2822_instant('start_time') }} as started_at,
    {{ rfc2822_instant('end_time') }} as ended_at,
    {{ rfc2822_instant('date_created') }} as created_at,
    {{ rfc2822_instant('date_updated') }} as updated_at,
    cast(duration as integer) as duration_seconds,
    answered_by,
    price,
    price_unit,
    phone_number_sid as phone_number_id,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'telephony__call')) }}
{{ latest_version('sid', rfc2822_instant('date_updated')) }}
