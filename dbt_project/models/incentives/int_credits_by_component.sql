-- The credits that a component counts: measured alike, eligible, and of a rep who took part in the plan on that day.
with credits as (
    select * from {{ ref('int_credits') }}
),

participating as (
    select distinct credits.credit_id
    from credits
    inner join {{ ref('dim_rep_versions') }} as versions
        on credits.rep_id = versions.rep_id and credits.event_at >= versions.valid_from and credits.event_at < versions.valid_to
    inner join {{ ref('dim_reps') }} as reps on credits.rep_id = reps.rep_id
    inner join {{ ref('stg_plans__participants') }} as participants
        on credits.plan_id = participants.plan_id and {{ incentives_takes_part('participants', 'versions', 'reps', 'credits.event_date') }}
),

asked_for as (
    select
        plan_id,
        component_id,
        count(*) filter (where clause = 'all_of') as all_of_count,
        count(*) filter (where clause = 'any_of') as any_of_count
    from {{ ref('stg_plans__eligibility') }}
    group by plan_id, component_id
),

met as (
    select
        eligibility.plan_id,
        eligibility.component_id,
        tags.event_id,
        count(*) filter (where eligibility.clause = 'all_of') as all_of_count,
        count(*) filter (where eligibility.clause = 'any_of') as any_of_count,
        count(*) filter (where eligibility.clause = 'none_of') as none_of_count
    from {{ ref('stg_plans__eligibility') }} as eligibility
    inner join {{ ref('int_credit_tags') }} as tags on eligibility.tag = tags.tag
    group by eligibility.plan_id, eligibility.component_id, tags.event_id
)

select
    concat(credits.credit_id, '/', components.component_id) as line_id,
    credits.credit_id,
    credits.plan_id,
    credits.plan_hash,
    components.component_id,
    credits.event_id,
    credits.rep_id,
    credits.event_at,
    credits.event_date,
    credits.credited_amount,
    components.tier_basis,
    components.tier_scope,
    components.tier_closure,
    components.fixed_amount
from credits
inner join participating on credits.credit_id = participating.credit_id
inner join {{ ref('stg_plans__components') }} as components
    on
        credits.plan_id = components.plan_id
        and credits.crediting_rule_id = components.crediting_rule_id
        and credits.measure = components.measure
left join asked_for on components.plan_id = asked_for.plan_id and components.component_id = asked_for.component_id
left join met
    on components.plan_id = met.plan_id and components.component_id = met.component_id and credits.event_id = met.event_id
where
    coalesce(met.all_of_count, 0) = coalesce(asked_for.all_of_count, 0)
    and (coalesce(asked_for.any_of_count, 0) = 0 or met.any_of_count > 0)
    and coalesce(met.none_of_count, 0) = 0
    and (components.amount_at_least is null or credits.event_amount >= components.amount_at_least)
    and (components.amount_below is null or credits.event_amount < components.amount_below)
