-- What happened to each deal that counts, one row per moment: created (for its owner then), closed (for who is credited), and, of an open one, due
-- (for its owner now, on its close date).
with context as (select * from {{ ref('int_run_context') }}),

deals as (
    select
        *,
        case when is_lost then lost_amount_reporting else amount_reporting end as last_amount_reporting,
        cast(round(amount_reporting * probability, 2) as decimal(28, 2)) as weighted_amount_reporting
    from {{ ref('fct_opportunities') }}
    where is_counted
),

moments as (
    {%- for moment in ['created', 'closed', 'due'] %}
        select '{{ moment }}' as moment
        {{ "union all" if not loop.last }}
    {%- endfor %}
)

select
    deals.opportunity_id,
    moments.moment,
    case moments.moment
        when 'created' then {{ business_date('deals.created_at', 'context.business_timezone') }}
        when 'closed' then deals.closed_date
        else deals.close_date
    end as date_day,
    case when moments.moment = 'created' then deals.created_rep_id else deals.rep_id end as rep_id,
    case when moments.moment = 'created' then coalesce(rep_versions.team_id, 'unassigned') else deals.team_id end as team_id,
    case when moments.moment = 'created' then coalesce(rep_versions.territory_id, 'unassigned') else deals.territory_id end as territory_id,
    deals.is_won,
    deals.is_lost,
    deals.has_reached_qualified,
    deals.amount_reporting,
    deals.lost_amount_reporting,
    deals.last_amount_reporting,
    deals.weighted_amount_reporting,
    deals.days_lead_to_close,
    deals.days_opportunity_to_close,
    deals.data_error
from deals
cross join context
inner join moments on moments.moment = 'created' or moments.moment = case when deals.is_closed then 'closed' else 'due' end
{{ join_rep_version('deals.created_rep_id', 'deals.created_at') }}
