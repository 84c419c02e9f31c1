-- Who owned each deal when. The history says when it changed hands; where it ends with somebody else than the record, the record is right.
with deals as (select * from {{ ref('int_opportunities') }}),

newest as (
    select
        record_id as opportunity_id,
        changed_at,
        new_owner_id
    from {{ ref('int_owner_changes') }}
    where record_kind = 'opportunity'
    qualify row_number() over (partition by record_id order by changed_at desc nulls last, history_id desc nulls last) = 1
),

changes as (
    select
        opportunity_id,
        changed_at,
        old_owner_id,
        new_owner_id,
        lead(changed_at) over by_time as next_changed_at,
        row_number() over by_time as change_number
    from (
        select
            record_id as opportunity_id,
            history_id,
            changed_at,
            old_owner_id,
            new_owner_id
        from {{ ref('int_owner_changes') }}
        where record_kind = 'opportunity'
        union all
        select
            deals.opportunity_id,
            null,
            greatest(coalesce(deals.last_changed_at, newest.changed_at), newest.changed_at),
            newest.new_owner_id,
            deals.owner_id
        from deals
        inner join newest on deals.opportunity_id = newest.opportunity_id
        where deals.owner_id <> newest.new_owner_id and not deals.is_deleted
    ) as all_changes
    window by_time as (partition by opportunity_id order by changed_at asc nulls last, history_id asc nulls last)
)

select
    opportunity_id,
    old_owner_id as owner_id,
    timestamp '1900-01-01' as valid_from,
    changed_at as valid_to
from changes
where change_number = 1
union all
select
    opportunity_id,
    new_owner_id,
    changed_at,
    coalesce(next_changed_at, timestamp '9999-12-31')
from changes
union all
select
    opportunity_id,
    owner_id,
    timestamp '1900-01-01',
    timestamp '9999-12-31'
from deals
where opportunity_id not in (select changes.opportunity_id from changes)
