-- The legs of every provider in one form. Read by several models: parsed once.
{{ config(materialized='table') }}
{%- set logs = ['twilio_calls', 'aircall_calls', 'ringcentral_legs', 'file_calls'] %}

{% for log in logs -%}
    select
        provider,
        call_leg_id,
        parent_call_leg_id,
        telephony_account_id,
        from_phone,
        to_phone,
        unread_numbers,
        rep_key,
        direction,
        status,
        started_at,
        ended_at,
        created_at,
        updated_at,
        duration_seconds,
        is_answered,
        answered_by,
        price,
        price_unit,
        phone_number_id,
        load_id,
        known_from
    from {{ ref('base_telephony__' ~ log) }}
    {{ "union all" if not loop.last }}
{% endfor %}
