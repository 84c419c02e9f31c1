-- Each event split among people by a plan's crediting rule, exactly: whole hundredths (thousandths of a currency that has them) by weight,
-- what is left over one by one to the largest remainders, ties by rep id. A negative amount mirrors the positive one. From here on a credit carries
-- what its event says.
with rules_in_use as (
    select distinct
        plan_id,
        plan_hash,
        crediting_rule_id,
        measure
    from {{ ref('stg_plans__components') }}
),

weighted as (
    select
        rules_in_use.plan_id,
        rules_in_use.plan_hash,
        rules_in_use.crediting_rule_id,
        parties.event_id,
        parties.rep_id,
        sum({{ wide_integer('rules.weight') }} * parties.party_weight) as credit_weight
    from rules_in_use
    inner join {{ ref('stg_plans__plans') }} as plans on rules_in_use.plan_id = plans.plan_id
    inner join {{ ref('stg_plans__crediting_rules') }} as rules
        on rules_in_use.plan_id = rules.plan_id and rules_in_use.crediting_rule_id = rules.crediting_rule_id
    inner join {{ ref('int_credit_events') }} as events
        on
            rules_in_use.measure = events.measure
            and events.event_date >= plans.effective_from
            and (plans.effective_to is null or events.event_date <= plans.effective_to)
    inner join {{ ref('int_credit_parties') }} as parties on events.event_id = parties.event_id and rules.party = parties.party
    group by all
),

measured as (
    select
        weighted.plan_id,
        weighted.plan_hash,
        weighted.crediting_rule_id,
        weighted.rep_id,
        {{ wide_integer('weighted.credit_weight') }} as credit_weight,
        {{ wide_integer('sum(weighted.credit_weight) over by_event') }} as total_weight,
        events.*,
        {{ incentives_split_exponent('events.currency') }} as split_exponent,
        {{ wide_integer(incentives_to_minor_units('abs(events.event_amount)', incentives_split_exponent('events.currency'))) }}
            as event_units
    from weighted
    inner join {{ ref('int_credit_events') }} as events on weighted.event_id = events.event_id
    window by_event as (partition by weighted.plan_id, weighted.crediting_rule_id, weighted.event_id)
),

divided as (
    select
        *,
        {{ whole_quotient('event_units * credit_weight', 'total_weight') }} as whole_units
    from measured
),

ranked as (
    select
        *,
        event_units - sum(whole_units) over (partition by plan_id, crediting_rule_id, event_id) as units_left,
        row_number() over (
            partition by plan_id, crediting_rule_id, event_id
            order by event_units * credit_weight - whole_units * total_weight desc nulls last, rep_id asc nulls last
        ) as remainder_rank
    from divided
)

select
    concat(ranked.plan_id, '/', ranked.crediting_rule_id, '/', ranked.event_id, '/', ranked.rep_id) as credit_id,
    ranked.plan_id,
    ranked.plan_hash,
    ranked.crediting_rule_id,
    ranked.event_id,
    ranked.rep_id,
    cast(ranked.credit_weight as decimal(28, 0)) as credit_weight,
    cast(ranked.total_weight as decimal(28, 0)) as total_weight,
    ranked.event_amount,
    cast(
        {{ incentives_from_minor_units(
            'ranked.whole_units + case when ranked.remainder_rank <= ranked.units_left then 1 else 0 end', 'ranked.split_exponent'
        ) }} * case when ranked.event_amount < 0 then -1 else 1 end
        as {{ incentives_amount_type() }}
    ) as credited_amount,
    ranked.currency as credited_currency,
    ranked.measure,
    ranked.record_id,
    ranked.opportunity_id,
    ranked.event_at,
    ranked.event_date,
    ranked.load_id,
    ranked.known_from
from ranked
