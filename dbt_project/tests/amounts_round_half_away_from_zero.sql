-- The one conversion macro against results worked out by hand: exact halves go away from zero, large amounts keep every cent.
with cases as (
    select
        cast(1.00 as decimal(28, 2)) as amount,
        cast(3 as decimal(18, 10)) as from_rate,
        cast(1 as decimal(18, 10)) as to_rate,
        cast(0.33 as decimal(28, 2)) as expected
    union all
    select
        0.01,
        2,
        1,
        0.01
    union all
    select
        -0.01,
        2,
        1,
        -0.01
    union all
    select
        0.03,
        2,
        1,
        0.02
    union all
    select
        2.00,
        3,
        1,
        0.67
    union all
    select
        135.91,
        1,
        1,
        135.91
    union all
    select
        100.00,
        0.9,
        1.2,
        133.33
    union all
    select
        99999999999999.99,
        0.8,
        1,
        124999999999999.99
    union all
    select
        null,
        2,
        1,
        null
    union all
    select
        5.00,
        null,
        1,
        null
)

select
    *,
    {{ convert_amount('amount', 'from_rate', 'to_rate') }} as converted
from cases
where {{ convert_amount('amount', 'from_rate', 'to_rate') }} is distinct from expected
