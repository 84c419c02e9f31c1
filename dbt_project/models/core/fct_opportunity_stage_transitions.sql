with context as (select * from {{ ref('int_run_context') }}),

states as (
    select
        *,
        lag(stage_name) over (partition by opportunity_id order by state_number asc nulls last) as previous_stage_name
    from {{ ref('int_opportunities__states') }}
    -- Without a history nobody knows when a stage was entered.
    where basis = 'history'
),

-- Changes of amount or close date only are states, but no entries into a stage.
entries as (
    select
        opportunity_id,
        row_number() over by_time as stage_entry_number,
        stage,
        stage_name,
        stage_order,
        category,
        valid_from as entered_at,
        lead(valid_from) over by_time as left_at,
        lag(stage_order) over by_time as previous_stage_order,
        lag(category) over by_time as previous_category
    from states
    where previous_stage_name is null or previous_stage_name <> stage_name
    window by_time as (partition by opportunity_id order by state_number asc nulls last)
)

select
    entries.opportunity_id,
    entries.stage_entry_number,
    entries.stage,
    entries.stage_name,
    entries.stage_order,
    entries.entered_at,
    entries.left_at,
    cast({{ seconds_between('entries.entered_at', 'coalesce(entries.left_at, context.as_of)') }} / 86400.0 as decimal(18, 4)) as days_in_stage,
    -- A loss jumps nothing; a win from before the last open stage does.
    coalesce(entries.category <> 'lost' and entries.stage_order > entries.previous_stage_order + 1 and entries.previous_category = 'open', false)
        as is_skip,
    coalesce(entries.category = 'open' and entries.stage_order < entries.previous_stage_order, false) as is_regression,
    coalesce(entries.category = 'open' and entries.previous_category <> 'open', false) as is_reopening
from entries
cross join context
