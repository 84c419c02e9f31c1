-- Everybody outside whom a message went to, each once.
with own_domains as (select domain from {{ ref('stg_settings__email_domains') }}),

recipients as (
    select
        email_id,
        {{ unnested(joined_lists('to_addresses', 'cc_addresses')) }} as recipient
    from {{ ref('int_emails__copies') }}
),

addresses as (
    select distinct
        email_id,
        lower(trim(recipient)) as address
    from recipients
)

select
    email_id,
    address
from addresses
where {{ email_domain('address') }} not in (select own_domains.domain from own_domains) and address like '%@%'
