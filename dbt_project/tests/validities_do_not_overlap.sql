-- Versions of a rep and owners of a deal are half-open and adjoin: an instant has exactly one.
with ranges as (
    select
        rep_id as entity_id,
        valid_from,
        valid_to
    from {{ ref('int_reps__versions') }}
    union all
    select
        opportunity_id,
        valid_from,
        valid_to
    from {{ ref('int_opportunities__owners') }}
),

neighbours as (
    select
        *,
        lead(valid_from, 1, timestamp '9999-12-31') over (partition by entity_id order by valid_from asc nulls last) as next_valid_from
    from ranges
)

select *
from neighbours
where valid_to <> next_valid_from
