-- Who owned each lead when, queues included.
{{ owner_versions('lead', ref('int_leads'), 'lead_id', 'cast(null as timestamp)') }}
