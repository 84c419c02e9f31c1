-- Read by several models: parsed once.
{{ config(materialized='table') }}

select
    maildir_key,
    lower(trim(mailbox)) as mailbox,
    message_id,
    in_reply_to,
    references_ids,
    lower(trim(from_address)) as from_address,
    {{ json_text_list('to_addresses') }} as to_addresses,
    {{ json_text_list('cc_addresses') }} as cc_addresses,
    cast("date" as timestamp) as sent_at,
    date_raw,
    "subject_sha256",
    cast(is_auto_reply as boolean) as is_auto_reply,
    cast(is_bounce as boolean) as is_bounce,
    cast(is_newsletter as boolean) as is_newsletter,
    cast(size_bytes as integer) as size_bytes,
    _load_id as load_id,
    _known_from as known_from
from {{ lake(source('lake', 'mail__message')) }}
{{ latest_version('maildir_key, mailbox') }}
