-- What can be paid for: a won deal when it closes, an invoice when it is issued, a payment when it comes in.
with context as (
    select * from {{ ref('int_run_context') }}
),

opportunities as (
    select * from {{ ref('fct_opportunities') }}
    where is_counted
),

leads as (
    select * from {{ ref('fct_leads') }}
),

reps as (
    select * from {{ ref('dim_reps') }}
),

products as (
    select * from {{ ref('dim_products') }}
),

deals as (
    select
        opportunities.*,
        -- The rep of the lead: its owner, or, where a queue or an integration owns it, the rep who touched it first.
        coalesce(owners.rep_id, leads.first_touch_rep_id) as sourced_by_id,
        {{ incentives_tag_value('opportunities.opportunity_type') }} as type_tag,
        {{ incentives_tag_value('products.product_name') }} as product_tag
    from opportunities
    left join leads on opportunities.lead_id = leads.lead_id
    left join reps as owners on leads.owner_id = owners.rep_id and owners.is_rep
    left join products on opportunities.product_id = products.product_id
),

invoices as (
    select * from {{ ref('fct_invoices') }}
    where is_counted
),

payments as (
    select * from {{ ref('fct_payments') }}
    where is_counted
),

events as (
    select
        'bookings' as measure,
        opportunity_id as record_id,
        credited_at as event_at,
        closed_date as event_date,
        -- No amount is 0; an amount without a rate is NULL.
        case when amount is null then 0 else amount_reporting end as event_amount,
        rep_id as owner_id,
        opportunity_id,
        load_id,
        known_from
    from deals
    where is_won
    union all
    select
        'invoiced',
        invoice_id,
        {{ utc_time('invoice_date', 'context.business_timezone') }},
        invoice_date,
        amount_reporting,
        rep_id,
        opportunity_id,
        load_id,
        known_from
    from invoices
    cross join context
    union all
    select
        'collected',
        payment_id,
        {{ utc_time('payment_date', 'context.business_timezone') }},
        payment_date,
        amount_reporting,
        rep_id,
        opportunity_id,
        load_id,
        known_from
    from payments
    cross join context
)

select
    concat(events.measure, ':', events.record_id) as event_id,
    events.measure,
    events.record_id,
    events.event_at,
    events.event_date,
    cast(events.event_amount as {{ incentives_amount_type() }}) as event_amount,
    context.reporting_currency as currency,
    events.owner_id,
    deals.sourced_by_id,
    events.opportunity_id,
    deals.type_tag,
    deals.product_tag,
    events.load_id,
    events.known_from
from events
cross join context
left join deals on events.opportunity_id = deals.opportunity_id
-- Nothing is paid on a guess: what has no exchange rate, no day, or one outside the calendar is in data_errors.
where
    events.event_amount is not null
    and events.event_date in (select days.date_day from {{ ref('int_calendar__periods') }} as days)
