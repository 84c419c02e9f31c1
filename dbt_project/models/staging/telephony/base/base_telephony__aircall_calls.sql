-- Aircall's own duration includes the ringing: talk time is from the answer to the end.
with calls as (
    select
        *,
        {{ epoch_instant('started_at') }} as started_instant,
        {{ epoch_instant('answered_at') }} as answered_instant,
        {{ epoch_instant('ended_at') }} as ended_instant,
        direction = 'inbound' as is_inbound
    from {{ lake(source('lake', 'telephony__aircall_call')) }}
    {{ latest_version('id') }}
)

select
    'aircall' as provider,
    concat('aircall:', id) as call_leg_id,
    cast(null as {{ text_type() }}) as parent_call_leg_id,
    cast(null as {{ text_type() }}) as telephony_account_id,
    coalesce(from_e164, case when is_inbound then raw_digits else number__digits end) as from_phone,
    coalesce(to_e164, case when is_inbound then number__digits else raw_digits end) as to_phone,
    unread_numbers,
    user__email as rep_key,
    direction,
    status,
    started_instant as started_at,
    ended_instant as ended_at,
    started_instant as created_at,
    coalesce(ended_instant, answered_instant, started_instant) as updated_at,
    cast(greatest(0, coalesce({{ seconds_between('answered_instant', 'ended_instant') }}, 0)) as bigint) as duration_seconds,
    answered_instant is not null as is_answered,
    cast(null as {{ text_type() }}) as answered_by,
    cost as price,
    cast(null as {{ text_type() }}) as price_unit,
    number__id as phone_number_id,
    _load_id as load_id,
    _known_from as known_from
from calls
