-- Each deal's states over time. The CRM's history says when a thing changed; the record says what it is now, and outweighs a history that is
-- missing, late, or written in bulk by a migration: `basis` says which of the two a state comes from.
with context as (select * from {{ ref('int_run_context') }}),

deals as (
    select
        *,
        coalesce(created_at, known_from) as begins_at
    from {{ ref('int_opportunities') }}
),

history as (
    select
        history.*,
        stages.stage,
        stages.stage_order,
        stages.category,
        stages.is_qualified_pipeline,
        row_number() over by_time as row_from_first,
        row_number() over (
            partition by history.opportunity_id order by history.created_at desc nulls last, history.opportunity_history_id desc nulls last
        ) as row_from_last
    from {{ ref('stg_salesforce__opportunity_history') }} as history
    inner join context on history.created_at <= context.as_of
    left join {{ ref('int_stages') }} as stages on history.stage_name = stages.stage_name
    window by_time as (partition by history.opportunity_id order by history.created_at asc nulls last, history.opportunity_history_id asc nulls last)
),

spans as (
    select
        history.opportunity_id,
        min(history.created_at) as first_at,
        max(history.created_at) as last_at,
        max(case when history.row_from_first = 1 then history.category end) as first_category,
        max(case when history.row_from_first = 1 then history.stage_name end) as first_stage_name,
        max(case when history.row_from_first = 1 then history.amount end) as first_amount,
        max(case when history.row_from_first = 1 then history.close_date end) as first_close_date,
        max(case when history.row_from_first = 1 then history.probability end) as first_probability,
        max(case when history.row_from_first = 1 then history.forecast_category end) as first_forecast_category,
        max(case when history.row_from_last = 1 then history.stage_name end) as last_stage_name,
        max(case when history.row_from_last = 1 then history.amount end) as last_amount,
        max(case when history.row_from_last = 1 then history.close_date end) as last_close_date,
        {{ business_date('min(history.created_at)', 'max(context.business_timezone)') }} as first_date,
        {{ business_date('max(history.created_at)', 'max(context.business_timezone)') }} as last_date
    from history
    cross join context
    group by history.opportunity_id
),

judged as (
    select
        deals.*,
        spans.first_at,
        spans.last_at,
        spans.first_category,
        spans.first_stage_name,
        spans.first_amount,
        spans.first_close_date,
        spans.first_probability,
        spans.first_forecast_category,
        spans.last_stage_name,
        spans.last_amount,
        spans.last_close_date,
        -- A closed deal whose whole history was written on one day, long after it was created or closed, was loaded: that day says nothing about it.
        spans.opportunity_id is not null
        and not coalesce(
            deals.category in ('won', 'lost')
            and spans.first_date = spans.last_date
            and (
                spans.first_at > {{ add_seconds('deals.begins_at', 86400) }}
                or deals.close_date < {{ add_days('spans.first_date', '-context.booking_tolerance_days') }}
            ),
            false
        ) as has_usable_history,
        case
            when deals.category in ('won', 'lost')
                then greatest(
                    coalesce(
                        deals.stated_closed_at, {{ utc_time('deals.close_date', 'context.business_timezone') }}, deals.begins_at
                    ),
                    deals.begins_at
                )
        end as closed_by_record_at
    from deals
    cross join context
    left join spans on deals.opportunity_id = spans.opportunity_id
),

found as (
    select
        history.opportunity_id,
        'history' as basis,
        1 as part,
        history.opportunity_history_id as part_key,
        history.created_at as valid_from,
        history.stage_name,
        history.stage,
        history.stage_order,
        history.category,
        history.is_qualified_pipeline,
        history.amount,
        history.currency,
        history.close_date,
        history.probability,
        history.forecast_category,
        history.created_by_id as changed_by_id
    from history
    inner join judged on history.opportunity_id = judged.opportunity_id
    where judged.has_usable_history
    union all
    -- What came before the first row that the history has.
    select
        judged.opportunity_id,
        'record',
        0,
        null,
        judged.begins_at,
        case when judged.first_category = 'open' then judged.first_stage_name end,
        stages.stage,
        stages.stage_order,
        'open',
        stages.is_qualified_pipeline,
        judged.first_amount,
        judged.currency,
        judged.first_close_date,
        case when judged.first_category = 'open' then judged.first_probability end,
        case when judged.first_category = 'open' then judged.first_forecast_category end,
        null
    from judged
    left join {{ ref('int_stages') }} as stages on judged.first_stage_name = stages.stage_name and judged.first_category = 'open'
    where judged.has_usable_history and judged.first_at > {{ add_seconds('judged.begins_at', 86400) }}
    union all
    -- Without a history: open from its creation, and closed from the day that the record says.
    select
        judged.opportunity_id,
        'record',
        0,
        null,
        judged.begins_at,
        case when judged.closed_by_record_at is null then judged.stage_name end,
        case when judged.closed_by_record_at is null then judged.stage end,
        case when judged.closed_by_record_at is null then judged.stage_order end,
        case when judged.closed_by_record_at is null then judged.category else 'open' end,
        case when judged.closed_by_record_at is null then judged.is_qualified_pipeline end,
        judged.amount,
        judged.currency,
        judged.close_date,
        case when judged.closed_by_record_at is null then judged.probability end,
        case when judged.closed_by_record_at is null then judged.forecast_category end,
        null
    from judged
    where
        not judged.has_usable_history
        and (judged.closed_by_record_at is null or judged.closed_by_record_at > judged.begins_at)
    union all
    -- As the record has it now: closed, where there is no history of that, or what the last row of the history does not say yet.
    select
        judged.opportunity_id,
        'record',
        2,
        null,
        case
            when judged.has_usable_history then greatest(coalesce(judged.last_changed_at, judged.last_at), judged.last_at)
            else judged.closed_by_record_at
        end,
        judged.stage_name,
        judged.stage,
        judged.stage_order,
        judged.category,
        judged.is_qualified_pipeline,
        judged.amount,
        judged.currency,
        judged.close_date,
        judged.probability,
        judged.forecast_category,
        null
    from judged
    where
        (not judged.has_usable_history and judged.closed_by_record_at is not null)
        or (
            judged.has_usable_history and not judged.is_deleted
            and (
                judged.stage_name is distinct from judged.last_stage_name
                or judged.amount is distinct from judged.last_amount
                or judged.close_date is distinct from judged.last_close_date
            )
        )
),

numbered as (
    select
        *,
        row_number() over by_time as state_number,
        lead(valid_from) over by_time as next_valid_from
    from found
    window by_time as (partition by opportunity_id order by valid_from asc nulls last, part asc nulls last, part_key asc nulls last)
)

select
    numbered.opportunity_id,
    numbered.state_number,
    numbered.basis,
    numbered.valid_from,
    coalesce(numbered.next_valid_from, timestamp '9999-12-31') as valid_to,
    {{ business_date('numbered.valid_from', 'context.business_timezone') }} as valid_from_date,
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
    numbered.changed_by_id
from numbered
inner join context on numbered.valid_from <= context.as_of
