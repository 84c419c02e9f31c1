-- Calls of an export. One says when a call ended, another how long was talked: each is worked out from the other where it is missing.
with calls as (
    select
        *,
        {{ export_instant('started_at', "'UTC'") }} as started_instant,
        {{ export_instant('answered_at', "'UTC'") }} as answered_instant,
        {{ export_instant('ended_at', "'UTC'") }} as ended_instant,
        cast(talk_seconds as integer) as stated_talk_seconds
    from {{ lake(source('lake', 'files__call')) }}
    {{ latest_version('call_leg_id') }}
),

answers as (
    select
        *,
        coalesce(stated_talk_seconds, {{ seconds_between('answered_instant', 'ended_instant') }}, 0) as found_talk_seconds,
        -- A status, where there is one, decides: an exchange may time what was no conversation.
        coalesce(status = 'answered', answered_instant is not null or stated_talk_seconds > 0, false) as is_answered
    from calls
)

select
    'files' as provider,
    concat('files:', {{ key_without_address('call_leg_id') }}) as call_leg_id,
    case when call_id is not null then concat('files:', {{ key_without_address('call_id') }}) end as parent_call_leg_id,
    cast(null as {{ text_type() }}) as telephony_account_id,
    from_number as from_phone,
    to_number as to_phone,
    nullif(
        concat_ws(',', case when from_number not like '+%' then 'from' end, case when to_number not like '+%' then 'to' end), ''
    ) as unread_numbers,
    user_id as rep_key,
    direction,
    status,
    started_instant as started_at,
    coalesce(
        ended_instant,
        {{ add_seconds('answered_instant', 'found_talk_seconds') }},
        {{ add_seconds('started_instant', 'coalesce(cast(duration_seconds as integer), found_talk_seconds)') }}
    ) as ended_at,
    started_instant as created_at,
    cast(null as timestamp) as updated_at,
    cast(case when is_answered then greatest(0, found_talk_seconds) else 0 end as bigint) as duration_seconds,
    is_answered,
    cast(null as {{ text_type() }}) as answered_by,
    cast(null as {{ text_type() }}) as price,
    cast(null as {{ text_type() }}) as price_unit,
    cast(null as {{ text_type() }}) as phone_number_id,
    _load_id as load_id,
    _known_from as known_from
from answers
