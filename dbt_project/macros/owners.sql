{#-
    Who owned each record of a kind when: `record_id`, `owner_id`, and a half-open validity. The history says when it changed
    hands; where it ends with somebody else than the record, the record is right.

    Args: kind, as in int_owner_changes; relation and key of the records, which have owner_id; an expression over `records` for
    when the record was last changed.
-#}
{% macro owner_versions(kind, relation, key, last_changed_at) -%}
with records as (select * from {{ relation }}),

newest as (
    select
        record_id,
        changed_at,
        new_owner_id
    from {{ ref('int_owner_changes') }}
    where record_kind = '{{ kind }}'
    qualify row_number() over (partition by record_id order by changed_at desc nulls last, history_id desc nulls last) = 1
),

all_changes as (
    select
        record_id,
        history_id,
        changed_at,
        old_owner_id,
        new_owner_id
    from {{ ref('int_owner_changes') }}
    where record_kind = '{{ kind }}'
    union all
    select
        newest.record_id,
        null,
        greatest(coalesce({{ last_changed_at }}, newest.changed_at), newest.changed_at),
        newest.new_owner_id,
        records.owner_id
    from records
    inner join newest on records.{{ key }} = newest.record_id
    where records.owner_id <> newest.new_owner_id and not records.is_deleted
),

changes as (
    select
        *,
        lead(changed_at) over by_time as next_changed_at,
        row_number() over by_time as change_number
    from all_changes
    window by_time as (partition by record_id order by changed_at asc nulls last, history_id asc nulls last)
)

select
    record_id as {{ key }},
    old_owner_id as owner_id,
    timestamp '1900-01-01' as valid_from,
    changed_at as valid_to
from changes
where change_number = 1
union all
select
    record_id,
    new_owner_id,
    changed_at,
    coalesce(next_changed_at, timestamp '9999-12-31')
from changes
union all
select
    {{ key }},
    owner_id,
    timestamp '1900-01-01',
    timestamp '9999-12-31'
from records
where {{ key }} not in (select changes.record_id from changes)
{%- endmacro %}
