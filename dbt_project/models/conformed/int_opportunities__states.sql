with context as (select * from {{ ref('int_run_context') }}),

history as (
    select
        history.*,
        stages.stage,
        stages.stage_order,
        stages.category,
        stages.is_qualified_pipeline
    from {{ ref('stg_salesforce__opportunity_history') }} as history
    inner join context on history.created_at <= context.as_of
    left join {{ ref('int_stages') }} as stages on history.stage_name = stages.stage_name
),

numbered as (
    select
        *,
        row_number() over by_time as state_number,
        lead(created_at) over by_time as next_created_at
    from history
    window by_time as (partition by opportunity_id order by created_at asc nulls last, opportunity_history_id asc nulls last)
)

select
    numbered.opportunity_id,
    numbered.state_number,
    numbered.created_at as valid_from,
    coalesce(numbered.next_created_at, timestamp '9999-12-31') as valid_to,
    {{ business_date('numbered.created_at', 'context.business_timezone') }} as valid_from_date,
    numbered.stage_name,
    numbered.stage,
    numbered.stage_order,
    numbered.category,
    numbered.is_qualified_pipeline,
    numbered.amount,
    coalesce(numbered.currency, context.reporting_currency) as currency,
    numbered.close_date,
    numbered.probability,
    numbered.forecast_category,
    numbered.created_by_id as changed_by_id
from numbered
cross join context
