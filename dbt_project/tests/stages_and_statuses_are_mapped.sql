-- An unknown stage would be neither open, won nor lost; an unknown status neither qualified nor not.
-- Name them in config/stages.yml and config/lead_statuses.yml.
select distinct
    'stage' as kind,
    stage_name as unknown_name
from {{ ref('int_opportunities') }}
where stage is null
union all
select distinct
    'stage of history',
    stage_name
from {{ ref('int_opportunities__states') }}
where stage is null
union all
select distinct
    'lead status',
    status_name
from {{ ref('int_leads') }}
where status is null and status_name is not null
