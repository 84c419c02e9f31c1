with latest as (
    select
        *,
        max(as_of) over () as newest_as_of
    from {{ ref('stg_predictions__lead_scores') }}
    qualify row_number() over (partition by lead_id order by as_of desc nulls last, load_id desc nulls last) = 1
)

select
    latest.lead_id,
    latest.score,
    latest.band,
    latest.top_reasons,
    latest.outcome_horizon_days,
    latest.as_of,
    latest.as_of = latest.newest_as_of as is_current,
    latest.model_hash,
    leads.lead_source,
    leads.segment,
    leads.owner_id,
    leads.created_at as lead_created_at,
    latest.load_id,
    latest.known_from
from latest
left join {{ ref('fct_leads') }} as leads on latest.lead_id = leads.lead_id
