{#- The lake tables of which one must have landed before anything can be said of a kind of source. -#}
{% macro tables_by_need() -%}
    {%- set calls = ["telephony__call", "telephony__aircall_call", "telephony__ringcentral_call", "files__call", "salesforce__task"] -%}
    {{ return({
        "leads": ["salesforce__lead", "files__lead"],
        "deals": ["salesforce__opportunity", "files__opportunity"],
        "deal_history": ["salesforce__opportunity", "files__opportunity"],
        "calls": calls,
        "mail": ["mail__message"],
        "calendar": ["salesforce__event"],
        "tasks": ["salesforce__task"],
        "activities": calls + ["mail__message", "salesforce__event"],
        "change_history": ["salesforce__lead", "salesforce__contact", "salesforce__account"],
        "invoices": ["feed__invoices"],
        "payments": ["feed__payments"],
        "quotas": ["feed__quotas"],
        "personnel": ["feed__personnel"]
    }) }}
{%- endmacro %}


{#- A value where every source that it needs is there, else NULL: 0 is a finding. The model has int_metrics__availability as `availability`. -#}
{% macro if_available(needs, value) -%}
    case when {% for need in needs %}availability.{{ need }}{{ " and " if not loop.last }}{% endfor %} then {{ value }} end
{%- endmacro %}


{#- The kinds of sources that have not landed, joined by commas; NULL where none is missing. -#}
{% macro missing_needs(needs) -%}
    {%- if needs -%}
    nullif(concat_ws(', '{% for need in needs %}, case when not availability.{{ need }} then '{{ need }}' end{% endfor %}), '')
    {%- else -%}
    cast(null as {{ text_type() }})
    {%- endif -%}
{%- endmacro %}
