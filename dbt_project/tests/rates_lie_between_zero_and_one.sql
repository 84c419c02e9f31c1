-- Whatever is called a rate and cannot exceed 1. NULL where nothing closed, and by amount where a total is negative: no share of anything.
{%- set rates = [
    'win_rate_count_closed', 'win_rate_amount_closed', 'win_rate_count_created', 'win_rate_amount_created', 'win_rate_count_reached', 'win_rate_amount_reached'
] %}
select
    period_grain,
    period_start
from {{ ref('kpi_rep_period') }}
where
    {%- for rate in rates %}
        {{ "or " if not loop.first }}{{ rate }} not between 0 and 1
        or ({{ rate }} is null) <> ({{ rate }}_denominator <= 0 or {{ rate }}_numerator < 0 or {{ rate }}_numerator > {{ rate }}_denominator)
    {%- endfor %}
