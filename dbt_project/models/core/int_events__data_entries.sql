-- Records and fields that people entered, with their team at that instant.
select
    entries.rep_id,
    entries.entered_at,
    {{ business_date('entries.entered_at', 'context.business_timezone') }} as date_day,
    coalesce(rep_versions.team_id, 'unassigned') as team_id,
    coalesce(rep_versions.territory_id, 'unassigned') as territory_id,
    entries.entry_count
from {{ ref('int_prospects__data_entries') }} as entries
cross join {{ ref('int_run_context') }} as context
{{ join_rep_version('entries.rep_id', 'entries.entered_at') }}
