{#- Building blocks of the KPI marts: what is counted per rep and day, and how it rolls up to an entity and a period. -#}

{#- Additive measures of int_kpi__daily: name and type. `count` adds up in integers, `money` to two decimals, amounts in the reporting currency. -#}
{% macro kpi_measures() -%}
    {{ return({
        "leads_generated": "count", "leads_qualified": "count", "leads_converted": "count", "leads_disqualified": "count",
        "leads_touched": "count", "leads_untouched": "count",
        "deals_created": "count", "deals_created_won": "count", "deals_created_amount": "money", "deals_created_won_amount": "money",
        "deals_closed": "count", "deals_lost": "count", "bookings": "money", "lost_amount": "money", "lost_without_amount": "count",
        "deals_lost_reached": "count", "lost_reached_amount": "money",
        "open_deals": "count", "open_pipeline": "money", "weighted_pipeline": "money", "close_date_pushes": "count",
        "calls_placed": "count", "calls_connected": "count", "phone_seconds": "count", "emails_sent": "count", "meetings_held": "count",
        "meeting_minutes": "count", "available_minutes": "count", "selling_seconds": "money", "tasks_completed": "count", "prospect_data_entries": "count",
        "invoiced": "money", "collected": "money", "quota_amount": "money"
    }) }}
{%- endmacro %}


{#- Durations of int_kpi__durations: each gets a mean and a median. -#}
{% macro kpi_durations() -%}
    {{ return([
        "sales_cycle_days", "sales_cycle_won_and_lost_days", "deal_cycle_days", "deal_cycle_won_and_lost_days",
        "lead_follow_up_minutes", "lead_follow_up_business_minutes", "lead_response_minutes", "lead_response_business_minutes"
    ]) }}
{%- endmacro %}


{#- A rate as three columns: numerator, denominator, value. -#}
{% macro rate_columns(name, numerator, denominator) -%}
    {{ numerator }} as {{ name }}_numerator,
    {{ denominator }} as {{ name }}_denominator,
    {{ ratio(numerator, denominator) }} as {{ name }}
{%- endmacro %}


{#-
    One KPI mart: every measure per entity and period. entity is the columns that name it (empty for the company). An entity without any event in a
    period has no row for it.
-#}
{% macro kpi_period(entity) -%}
    {%- set entity_columns = entity | map("trim") | list -%}
    {%- set prefix = (entity_columns | join(", ") ~ ", ") if entity_columns else "" -%}
with periods as (select * from {{ ref('int_calendar__periods') }}),

context as (select * from {{ ref('int_run_context') }}),

counted as (
    select
        {{ prefix }}periods.period_grain,
        periods.period_start,
        max(periods.period_end) as period_end
        {%- for measure, kind in kpi_measures().items() %},
        {%- if measure == "quota_amount" %}
        sum(case when periods.period_grain in ('month', 'quarter', 'year') then daily.quota_amount end) as quota_amount
        {%- else %}
        cast(sum(daily.{{ measure }}) as {{ "decimal(28, 2)" if kind == "money" else "bigint" }}) as {{ measure }}
        {%- endif %}
        {%- endfor %}
    from {{ ref('int_kpi__daily') }} as daily
    inner join periods on daily.date_day = periods.date_day
    {%- if entity_columns == ["rep_id"] %}
    where daily.rep_id in (select roles.rep_id from {{ ref('int_reps__versions') }} as roles where roles.role <> 'other')
    {%- endif %}
    group by {{ prefix }}periods.period_grain, periods.period_start
),

timed as (
    select
        {{ prefix }}periods.period_grain,
        periods.period_start
        {%- for duration in kpi_durations() %},
        avg(case when durations.duration_name = '{{ duration }}' then durations.duration_value end) as {{ duration }}_mean,
        cast(median(case when durations.duration_name = '{{ duration }}' then durations.duration_value end) as double) as {{ duration }}_median,
        count(case when durations.duration_name = '{{ duration }}' then 1 end) as {{ duration }}_count
        {%- endfor %}
    from {{ ref('int_kpi__durations') }} as durations
    inner join periods on durations.date_day = periods.date_day
    {%- if entity_columns == ["rep_id"] %}
    where durations.rep_id in (select roles.rep_id from {{ ref('int_reps__versions') }} as roles where roles.role <> 'other')
    {%- endif %}
    group by {{ prefix }}periods.period_grain, periods.period_start
),

-- What each rep still has to sell; a rep over quota does not make up for another.
remaining as (
    select
        {{ prefix }}period_grain,
        period_start,
        sum(remaining_quota) as remaining_quota
    from (
        select
            {% if entity_columns and entity_columns != ["rep_id"] %}{{ prefix }}{% endif %}daily.rep_id,
            periods.period_grain,
            periods.period_start,
            greatest(sum(daily.quota_amount) - sum(daily.bookings), 0) as remaining_quota
        from {{ ref('int_kpi__daily') }} as daily
        inner join periods on daily.date_day = periods.date_day
        where daily.rep_id is not null and periods.period_grain in ('month', 'quarter', 'year')
        group by {% if entity_columns and entity_columns != ["rep_id"] %}{{ prefix }}{% endif %}daily.rep_id, periods.period_grain, periods.period_start
    ) as by_rep
    group by {{ prefix }}period_grain, period_start
),

positions as (
    select
        {{ prefix }}period_grain,
        period_start,
        sum(deals_due) as deals_due,
        sum(deals_slipped) as deals_slipped,
        sum(open_deals_at_end) as open_deals_at_end
    from {{ ref('int_kpi__positions') }}
    group by {{ prefix }}period_grain, period_start
),

-- Reps of the quarter by head, and by the share of its business days that they were employed.
staff as (
    select
        {{ prefix }}staffing.quarter_start,
        count(distinct staffing.rep_id) as rep_count,
        cast(sum(staffing.fte) as double) / max(quarters.business_days) as fte_count
    from {{ ref('int_kpi__staffing') }} as staffing
    inner join (
        select quarter_start, count(*) as business_days from {{ ref('int_calendar__days') }} where is_business_day group by quarter_start
    ) as quarters on staffing.quarter_start = quarters.quarter_start
    group by {{ prefix }}staffing.quarter_start
)

select
    {%- for column in entity_columns %}
    counted.{{ column }},
    {%- endfor %}
    counted.period_grain,
    counted.period_start,
    counted.period_end,
    counted.period_end < context.as_of_date as is_complete,
    {%- for measure in kpi_measures() %}
    counted.{{ measure }},
    {%- endfor %}
    counted.bookings as revenue,
    {{ rate_columns('win_rate_count_closed', 'counted.deals_closed', '(counted.deals_closed + counted.deals_lost)') }},
    {{ rate_columns('win_rate_amount_closed', 'counted.bookings', '(counted.bookings + counted.lost_amount)') }},
    {{ rate_columns('win_rate_count_created', 'counted.deals_created_won', 'counted.deals_created') }},
    {{ rate_columns('win_rate_amount_created', 'counted.deals_created_won_amount', 'counted.deals_created_amount') }},
    {{ rate_columns('win_rate_count_reached', 'counted.deals_closed', '(counted.deals_closed + counted.deals_lost_reached)') }},
    {{ rate_columns('win_rate_amount_reached', 'counted.bookings', '(counted.bookings + counted.lost_reached_amount)') }},
    {{ rate_columns('lead_qualification_per_lead_created_ratio', 'counted.leads_qualified', 'counted.leads_generated') }},
    {{ rate_columns('deal_closing_per_lead_created_ratio', 'counted.deals_closed', 'counted.leads_generated') }},
    {{ rate_columns('quota_attainment_ratio', 'counted.bookings', 'counted.quota_amount') }},
    {{ rate_columns('pipeline_coverage_ratio', 'counted.open_pipeline', 'remaining.remaining_quota') }},
    {{ rate_columns('slippage_rate', 'positions.deals_slipped', 'positions.deals_due') }},
    positions.open_deals_at_end,
    cast(positions.open_deals_at_end as double) * {{ ratio('counted.bookings', '(counted.deals_closed + counted.deals_lost)') }}
        / nullif(timed.deal_cycle_days_mean, 0) as sales_velocity,
    {{ rate_columns('selling_time_share', 'counted.selling_seconds', '(60 * counted.available_minutes)') }},
    context.minutes_per_email,
    {{ rate_columns('average_quarterly_revenue_per_rep', "case when staff.rep_count is not null then counted.bookings end", 'staff.rep_count') }},
    {{ rate_columns('average_quarterly_revenue_per_fte', "case when staff.rep_count is not null then counted.bookings end", 'staff.fte_count') }}
    {%- for duration in kpi_durations() %},
    timed.{{ duration }}_mean,
    timed.{{ duration }}_median,
    coalesce(timed.{{ duration }}_count, 0) as {{ duration }}_count
    {%- endfor %}
from counted
cross join context
left join timed
    on counted.period_grain = timed.period_grain and counted.period_start = timed.period_start
    {%- for column in entity_columns %} and counted.{{ column }} = timed.{{ column }}{% endfor %}
left join remaining
    on counted.period_grain = remaining.period_grain and counted.period_start = remaining.period_start
    {%- for column in entity_columns %} and counted.{{ column }} = remaining.{{ column }}{% endfor %}
left join positions
    on counted.period_grain = positions.period_grain and counted.period_start = positions.period_start
    {%- for column in entity_columns %} and counted.{{ column }} = positions.{{ column }}{% endfor %}
left join staff
    on counted.period_grain = 'quarter' and counted.period_start = staff.quarter_start
    {%- for column in entity_columns %} and counted.{{ column }} = staff.{{ column }}{% endfor %}
{%- endmacro %}
