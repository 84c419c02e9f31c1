-- What a component's eligibility can ask for. A further kind of tag is a further branch, and a kind known to incentives/lint.py.
select
    event_id,
    concat('type:', type_tag) as tag
from {{ ref('int_credit_events') }}
where type_tag is not null
union all
select
    event_id,
    concat('product:', product_tag) as tag
from {{ ref('int_credit_events') }}
where product_tag is not null
