-- Read by several models: parsed once.
{{ config(materialized='table') }}

with versions as (
    select
        coalesce(message_key, maildir_key) as message_key,
        lower(trim(mailbox)) as mailbox,
        coalesce(source, 'maildir') as mail_source,
        folder as folder_name,
        message_id,
        thread_id,
        in_reply_to,
        references_ids,
        lower(trim(from_address)) as from_address,
        {{ json_text_list('to_addresses') }} as to_addresses,
        {{ json_text_list('cc_addresses') }} as cc_addresses,
        cast(date as timestamp) as sent_at,
        date_raw,
        try_cast(received_at as timestamp) as received_at,
        subject_sha256,
        subject,
        body_text,
        cast(is_auto_reply as boolean) as is_auto_reply,
        cast(is_bounce as boolean) as is_bounce,
        cast(is_newsletter as boolean) as is_newsletter,
        try_cast(size_bytes as bigint) as size_bytes,
        _load_id as load_id,
        _known_from as known_from
    from {{ lake(source('lake', 'mail__message')) }}
    {{ latest_version('coalesce(message_key, maildir_key), mailbox') }}
)

select *
from versions
qualify row_number() over (
    partition by
        mailbox,
        -- A message without id goes by what it says: its key is no help, for a server that numbers a folder anew gives it another.
        coalesce(
            message_id,
            concat_ws(
                '|',
                from_address,
                cast(to_addresses as {{ text_type() }}),
                cast(cc_addresses as {{ text_type() }}),
                cast(sent_at as {{ text_type() }}),
                date_raw,
                coalesce(subject_sha256, ''),
                coalesce(in_reply_to, ''),
                coalesce(references_ids, ''),
                cast(size_bytes as {{ text_type() }})
            )
        )
    order by known_from asc nulls last, load_id asc nulls last, message_key asc nulls last
) = 1
