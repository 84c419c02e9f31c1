-- One row per message, however many mailboxes hold a copy; without a message id each copy is its own message. The key is a hash: message ids name
-- hosts and people, and the mailbox is somebody's address.
with context as (select * from {{ ref('int_run_context') }})

select
    {{ hash_key("coalesce(messages.message_id, concat(messages.mailbox, '/', messages.message_key))") }} as email_id,
    messages.sent_at,
    messages.mailbox,
    messages.from_address,
    messages.to_addresses,
    messages.cc_addresses,
    messages.is_auto_reply,
    messages.is_bounce,
    messages.is_newsletter
from {{ ref('stg_mail__messages') }} as messages
inner join context on messages.sent_at <= context.as_of
qualify row_number() over (
    partition by coalesce(messages.message_id, concat(messages.mailbox, '/', messages.message_key))
    order by messages.mailbox = messages.from_address desc nulls last, messages.mailbox asc nulls last, messages.message_key asc nulls last
) = 1
