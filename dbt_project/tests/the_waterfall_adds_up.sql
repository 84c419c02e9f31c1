-- opening + everything that came in - everything that went out = closing, to the cent, per team and period; reassigned sums to 0 over teams.
-- Opening and closing are read from the daily pipeline, the movements from its changes: neither is derived from the other.
select
    team_id,
    period_grain,
    period_start
from {{ ref('kpi_pipeline_waterfall') }}
where opening + created + reopened + moved_in + grown + revalued + reassigned - shrunk - moved_out - deleted - won - lost <> closing
union all
select
    'all teams',
    period_grain,
    period_start
from {{ ref('kpi_pipeline_waterfall') }}
group by period_grain, period_start
having sum(reassigned) <> 0
