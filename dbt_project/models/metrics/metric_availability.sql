{%- set needs = metric_registry().needs -%}
-- Why a metric is NULL everywhere: a source that it needs is not connected, or may not be read.
with availability as (select * from {{ ref('int_metrics__availability') }}),

missing as (
    {%- for metric in needs %}
        select
            '{{ metric }}' as metric,
            {{ missing_needs(needs[metric]) }} as missing_sources
        from availability
        {{ "union all" if not loop.last }}
    {%- endfor %}
)

select
    metric,
    missing_sources is null as is_available,
    missing_sources
from missing
