-- Empty: no mechanic adjusts pay yet. Each kind will be a model of its own, which reads int_commission_line_amounts and the kinds before it, and a
-- branch of a union here.
select
    cast(null as varchar) as adjustment_id,
    cast(null as varchar) as rep_id,
    cast(null as varchar) as plan_id,
    cast(null as varchar) as component_id,
    cast(null as varchar) as period_grain,
    cast(null as date) as period_start,
    cast(null as varchar) as line_id,
    cast(null as varchar) as adjustment_kind,
    cast(null as {{ incentives_unrounded_type() }}) as adjustment_amount,
    cast(null as varchar) as currency,
    cast(null as varchar) as reason
from {{ ref('int_commission_line_amounts') }}
where false
