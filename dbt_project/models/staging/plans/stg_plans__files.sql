-- The newest load lists every file in force; one that it does not list was withdrawn.
with listed as (
    select
        file_kind,
        file_name,
        file_hash,
        _load_id as load_id,
        _known_from as known_from
    from {{ lake(source('lake', 'plans__file')) }}
    where _broken_rules is null
    qualify dense_rank() over (order by _known_from desc nulls last, _load_id desc nulls last) = 1
)

select *
from listed
where file_kind <> 'none'
