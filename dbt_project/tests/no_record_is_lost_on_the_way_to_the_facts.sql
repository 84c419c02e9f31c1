-- What staging has, the facts have: counted ones or not, never fewer and never more.
with counts as (
    select
        'fct_leads' as fact,
        (select count(*) from {{ ref('fct_leads') }}) as fact_rows,
        (select count(*) from {{ ref('stg_salesforce__leads') }}) + (select count(*) from {{ ref('stg_files__leads') }}) as source_rows
    union all
    select
        'fct_opportunities',
        (select count(*) from {{ ref('fct_opportunities') }}),
        (select count(*) from {{ ref('stg_salesforce__opportunities') }}) + (select count(*) from {{ ref('stg_files__opportunities') }})
    union all
    select
        'fct_invoices',
        (select count(*) from {{ ref('fct_invoices') }}),
        (select count(*) from {{ ref('stg_feeds__invoices') }})
    union all
    select
        'fct_payments',
        (select count(*) from {{ ref('fct_payments') }}),
        (select count(*) from {{ ref('stg_feeds__payments') }})
    union all
    select
        'fct_activities: meetings',
        (
            select count(*) from {{ ref('fct_activities') }}
            where activity_type = 'meeting'
        ),
        (
            select count(*)
            from {{ ref('stg_salesforce__events') }} as events
            inner join {{ ref('int_run_context') }} as context on events.created_at <= context.as_of
            where not events.is_deleted
        )
)

select *
from counts
where fact_rows <> source_rows
