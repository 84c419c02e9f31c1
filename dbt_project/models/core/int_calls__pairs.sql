{%- set rounds = 3 -%}
-- Calls that a rep logged in the CRM and that telephony knows, too: by the provider's id where the log carries it, else one to one by nearest time,
-- within ten minutes, for the same rep and the same person or account. Nearest pairs are taken first, then the nearest of what is left.
with known as (
    select
        activities.activity_id,
        activities.source,
        activities.rep_id,
        activities.occurred_at,
        activities.provider_call_id,
        parties.lead_id,
        parties.contact_id,
        parties.account_id
    from {{ ref('int_activities') }} as activities
    left join {{ ref('int_activities__matched_parties') }} as parties on activities.activity_id = parties.activity_id and parties.is_first
    where activities.activity_type = 'call'
),

calls as (
    select * from known
    where source = 'telephony'
),

logs as (
    select * from known
    where source = 'salesforce'
),

by_id as (
    select
        logs.activity_id as log_activity_id,
        min(calls.activity_id) as call_activity_id
    from logs
    inner join calls on logs.provider_call_id = calls.provider_call_id
    group by logs.activity_id
),

candidates as (
    select
        logs.activity_id as log_activity_id,
        calls.activity_id as call_activity_id,
        abs({{ seconds_between('logs.occurred_at', 'calls.occurred_at') }}) as seconds_apart
    from logs
    inner join calls
        on
            logs.rep_id = calls.rep_id
            and calls.occurred_at >= {{ add_seconds('logs.occurred_at', -600) }} and calls.occurred_at <= {{ add_seconds('logs.occurred_at', 600) }}
            and (
                logs.lead_id = calls.lead_id or logs.contact_id = calls.contact_id or logs.account_id = calls.account_id
                -- A log without a record, or a number that is on no file, is told apart by its time only.
                or coalesce(logs.lead_id, logs.contact_id, logs.account_id) is null
                or coalesce(calls.lead_id, calls.contact_id, calls.account_id) is null
            )
    where
        logs.activity_id not in (select by_id.log_activity_id from by_id)
        and calls.activity_id not in (select by_id.call_activity_id from by_id)
),

{%- for round in range(1, rounds + 1) %}
    {%- set left_over = "candidates" if round == 1 else "left_after_" ~ (round - 1) %}
    nearest_{{ round }} as (
        select
            log_activity_id,
            call_activity_id
        from (
            select
                *,
                row_number() over (
                    partition by log_activity_id order by seconds_apart asc nulls last, call_activity_id asc nulls last
                ) as place_for_log,
                row_number() over (
                    partition by call_activity_id order by seconds_apart asc nulls last, log_activity_id asc nulls last
                ) as place_for_call
            from {{ left_over }}
        ) as ranked
        where place_for_log = 1 and place_for_call = 1
    ),

    left_after_{{ round }} as (
        select *
        from {{ left_over }}
        where
            log_activity_id not in (select nearest_{{ round }}.log_activity_id from nearest_{{ round }})
            and call_activity_id not in (select nearest_{{ round }}.call_activity_id from nearest_{{ round }})
    ),

{%- endfor %}

found as (
    select * from by_id
    {%- for round in range(1, rounds + 1) %}
        union all
        select * from nearest_{{ round }}
    {%- endfor %}
)

select * from found
