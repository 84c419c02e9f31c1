{%- set own = own_fields(ref('fct_opportunities')) -%}
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
{%- for kind in ['record_type', 'process'] %}
    union all
    select
        events.event_id,
        concat('{{ kind }}:', {{ incentives_tag_value('deals.' ~ kind) }}) as tag
    from {{ ref('int_credit_events') }} as events
    inner join {{ ref('fct_opportunities') }} as deals on events.opportunity_id = deals.opportunity_id
    where deals.{{ kind }} is not null
{%- endfor %}
{%- for field in own %}
union all
select
    events.event_id,
    concat('field:{{ field.column[6:] }}=', {{ incentives_tag_value('cast(deals.' ~ field.column ~ ' as ' ~ text_type() ~ ')') }}) as tag
from {{ ref('int_credit_events') }} as events
inner join {{ ref('fct_opportunities') }} as deals on events.opportunity_id = deals.opportunity_id
where deals.{{ field.column }} is not null
{%- endfor %}
