select
    plans.plan_id,
    plans.plan_hash,
    files.file_name as plan_file,
    plans.plan_name,
    plans.description,
    plans.payout_currency,
    plans.effective_from,
    plans.effective_to,
    plans._load_id as load_id,
    plans._known_from as known_from
from {{ incentives_in_force(lake(source('lake', 'plans__plan')), 'plan_hash') }} as plans
inner join {{ ref('stg_plans__files') }} as files on plans.plan_hash = files.file_hash
