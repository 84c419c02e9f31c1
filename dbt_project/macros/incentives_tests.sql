{#- Generic tests of accounting identities. Each returns the keys whose two sums differ. -#}

{#-
    Σ column per key of this model equals Σ field per key of another model, optionally only of rows that meet a
    condition.
-#}
{% test incentives_same_sums(model, column_name, by, to, field, to_where="true") %}
with here as (
    select {{ by }} as key_value, sum({{ column_name }}) as total from {{ model }} group by {{ by }}
),

there as (
    select {{ by }} as key_value, sum({{ field }}) as total from {{ to }} where {{ to_where }} group by {{ by }}
)

select
    coalesce(here.key_value, there.key_value) as key_value,
    here.total as total_here,
    there.total as total_there
from here
full outer join there on here.key_value = there.key_value
where coalesce(here.total, 0) <> coalesce(there.total, 0)
{% endtest %}


{#- The credits of one event under one rule add up to the event's amount, to the smallest unit. -#}
{% test incentives_split_is_whole(model) %}
select
    plan_id,
    crediting_rule_id,
    event_id,
    max(event_amount) as event_amount,
    sum(credited_amount) as credited_amount
from {{ model }}
group by plan_id, crediting_rule_id, event_id
having max(event_amount) <> sum(credited_amount)
{% endtest %}


{#- Plans pay in the currency in which amounts are measured: adding two currencies is an error. -#}
{% test incentives_pays_in_reporting_currency(model, column_name) %}
select
    plans.plan_id,
    plans.{{ column_name }},
    context.reporting_currency
from {{ model }} as plans
cross join {{ ref('int_run_context') }} as context
where plans.{{ column_name }} <> context.reporting_currency
{% endtest %}
