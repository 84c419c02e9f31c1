-- Who owned each deal when.
{{ owner_versions('opportunity', ref('int_opportunities'), 'opportunity_id', 'records.last_changed_at') }}
