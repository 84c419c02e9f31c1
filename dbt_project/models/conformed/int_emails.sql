-- One row per message, however many mailboxes hold a copy; without a message id each copy is its own message. The key is a hash: message ids name
-- hosts and people, and the mailbox is somebody's address.
with context as (select * from {{ ref('int_run_context') }}),

own_domains as (select domain from {{ ref('stg_settings__email_domains') }}),

copies as (
    select
        {{ hash_key("coalesce(messages.message_id, concat(messages.mailbox, '/', messages.message_key))") }} as email_id,
        messages.*
    from {{ ref('stg_mail__messages') }} as messages
    inner join context on messages.sent_at <= context.as_of
    qualify row_number() over (
        partition by coalesce(messages.message_id, concat(messages.mailbox, '/', messages.message_key))
        order by messages.mailbox = messages.from_address desc nulls last, messages.mailbox asc nulls last, messages.message_key asc nulls last
    ) = 1
),

recipients as (
    select
        email_id,
        {{ unnested(joined_lists('to_addresses', 'cc_addresses')) }} as recipient
    from copies
),

addresses as (
    select
        email_id,
        lower(trim(recipient)) as address
    from recipients
),

outside as (
    select
        email_id,
        min(address) as first_outside_address,
        count(*) as outside_recipient_count
    from addresses
    where {{ email_domain('address') }} not in (select own_domains.domain from own_domains) and address like '%@%'
    group by email_id
)

select
    copies.email_id,
    copies.sent_at,
    copies.mailbox,
    copies.from_address,
    copies.is_auto_reply,
    copies.is_bounce,
    copies.is_newsletter,
    coalesce({{ email_domain('copies.from_address') }} in (select own_domains.domain from own_domains), false) as is_from_inside,
    outside.first_outside_address,
    coalesce(outside.outside_recipient_count, 0) as outside_recipient_count
from copies
left join outside on copies.email_id = outside.email_id
