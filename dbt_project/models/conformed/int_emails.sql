with own_domains as (select domain from {{ ref('stg_settings__email_domains') }}),

outside as (
    select
        email_id,
        min(address) as first_outside_address,
        count(*) as outside_recipient_count
    from {{ ref('int_emails__outside_recipients') }}
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
from {{ ref('int_emails__copies') }} as copies
left join outside on copies.email_id = outside.email_id
