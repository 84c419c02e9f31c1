-- Empty: no mechanic adjusts pay yet. Each kind will be a model of its own, which reads int_commission_line_amounts and the kinds before it, and a
-- branch of a union here.
select
    cast(null as {{ text_type() }}) as adjustment_id,
    cast(null as {{ text_type() }}) as rep_id,
    cast(null as {{ text_type() }}) as plan_id,
    cast(null as {{ text_type() }}) as component_id,
    cast(null as {{ text_type() }}) as period_grain,
    cast(null as date) as period_start,
    cast(null as {{ text_type() }}) as line_id,
    cast(null as {{ text_type() }}) as adjustment_kind,
    cast(null as {{ incentives_unrounded_type() }}) as adjustment_amount,
    cast(null as {{ text_type() }}) as currency,
    cast(null as {{ text_type() }}) as reason
from {{ ref('int_commission_line_amounts') }}
where false
