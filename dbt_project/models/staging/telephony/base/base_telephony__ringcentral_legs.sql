-- One row per leg. The master leg spans the whole call, the menu and the waiting included: where another leg was answered, the talk is in that one.
with records as (
    select *
    from {{ lake(source('lake', 'telephony__ringcentral_call')) }}
    {{ latest_version('id', export_instant('lastModifiedTime', "'UTC'")) }}
),

elements as (
    select
        id,
        {{ json_elements('legs') }}
    from records
),

-- A record without legs counts as one leg: itself.
legs as (
    select
        records.*,
        coalesce(elements.element_number, 1) as leg_number,
        coalesce({{ json_value('elements.element', 'startTime') }}, records.startTime) as leg_start,
        -- No contract sees into the legs: what is no number of seconds there reads as unknown.
        case
            when elements.id is null then cast(records.duration as integer)
            else try_cast({{ json_value('elements.element', 'duration') }} as integer)
        end as leg_seconds,
        case when elements.id is null then records.result else {{ json_value('elements.element', 'result') }} end as leg_result,
        coalesce({{ json_value('elements.element', 'master') }} = 'true', false) as is_master
    from records
    left join elements on records.id = elements.id
),

answers as (
    select
        *,
        coalesce(leg_result in ('Accepted', 'Call accepted', 'Call connected'), false) as is_accepted,
        {{ export_instant('leg_start', "'UTC'") }} as leg_started_at
    from legs
),

talks as (
    select
        *,
        is_accepted and (not is_master or not max(is_accepted and not is_master) over (partition by id)) as is_talk
    from answers
)

select
    'ringcentral' as provider,
    concat('ringcentral:', id, '/', lpad(cast(leg_number as {{ text_type() }}), 3, '0')) as call_leg_id,
    concat('ringcentral:', sessionId) as parent_call_leg_id,
    cast(null as {{ text_type() }}) as telephony_account_id,
    coalesce(from_e164, from__phoneNumber, from__extensionNumber) as from_phone,
    coalesce(to_e164, to__phoneNumber, to__extensionNumber) as to_phone,
    unread_numbers,
    cast(null as {{ text_type() }}) as rep_key,
    lower(direction) as direction,
    result as status,
    leg_started_at as started_at,
    {{ add_seconds('leg_started_at', 'coalesce(leg_seconds, 0)') }} as ended_at,
    {{ export_instant('startTime', "'UTC'") }} as created_at,
    {{ export_instant('lastModifiedTime', "'UTC'") }} as updated_at,
    case when is_talk then coalesce(leg_seconds, 0) else 0 end as duration_seconds,
    is_talk as is_answered,
    cast(null as {{ text_type() }}) as answered_by,
    cast(null as {{ text_type() }}) as price,
    cast(null as {{ text_type() }}) as price_unit,
    cast(null as {{ text_type() }}) as phone_number_id,
    _load_id as load_id,
    _known_from as known_from
from talks
