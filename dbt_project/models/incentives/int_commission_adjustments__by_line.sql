-- Every adjustment on its lines. One that names no line is divided among those of its rep, component and period by what they pay: whole minor units,
-- what is left over to the largest remainders, ties by line id. Where they all pay nothing, each has the same part.
with lines as (
    select * from {{ ref('int_commission_line_amounts') }}
),

adjustments as (
    select * from {{ ref('int_commission_adjustments') }}
),

weighted as (
    select
        adjustments.adjustment_id,
        adjustments.adjustment_amount,
        lines.line_id,
        lines.currency_exponent,
        {{ wide_integer(incentives_to_minor_units('abs(adjustments.adjustment_amount)', 'lines.currency_exponent')) }} as units,
        abs({{ incentives_to_minor_units('lines.commission_unrounded', 'lines.currency_exponent') }}) as paid_units
    from adjustments
    inner join lines
        on
            adjustments.rep_id = lines.rep_id
            and adjustments.plan_id = lines.plan_id
            and adjustments.component_id = lines.component_id
            and adjustments.period_grain = lines.period_grain
            and adjustments.period_start = lines.period_start
            and adjustments.currency = lines.currency
    where adjustments.line_id is null
),

measured as (
    select
        *,
        {{ wide_integer('case when max(paid_units) over (partition by adjustment_id) = 0 then 1 else paid_units end') }} as weight
    from weighted
),

totalled as (
    select
        *,
        {{ wide_integer('sum(weight) over (partition by adjustment_id)') }} as total_weight
    from measured
),

divided as (
    select
        *,
        {{ whole_quotient('units * weight', 'total_weight') }} as whole_units
    from totalled
),

ranked as (
    select
        *,
        units - sum(whole_units) over (partition by adjustment_id) as units_left,
        row_number() over (
            partition by adjustment_id
            order by units * weight - whole_units * total_weight desc nulls last, line_id asc nulls last
        ) as remainder_rank
    from divided
)

select
    adjustments.adjustment_id,
    adjustments.line_id,
    adjustments.adjustment_amount
from adjustments
inner join lines on adjustments.line_id = lines.line_id
union all
select
    adjustment_id,
    line_id,
    cast(
        {{ incentives_from_minor_units('whole_units + case when remainder_rank <= units_left then 1 else 0 end', 'currency_exponent') }}
        * case when adjustment_amount < 0 then -1 else 1 end
        as {{ incentives_unrounded_type() }}
    )
from ranked
