{#- A rate that nobody gave, as data errors name it: 'EUR to USD on 2026-01-09'. The model has int_run_context as `context`. -#}
{% macro missing_rate(currency, day) -%}
    concat({{ currency }}, ' to ', context.reporting_currency, ' on ', coalesce(cast({{ day }} as {{ text_type() }}), 'no date'))
{%- endmacro %}


{#- The rules of the mart data_errors: what is wrong with a record, and what to do. A test holds that every rule found in the models has its line. -#}
{% macro data_error_rules() -%}
{{ return({
    "stage_is_missing": ["The opportunity has no stage.", "Give it a stage in the source."],
    "stage_is_unknown": ["The stage is not mapped: the opportunity counts as open in no stage.", "Add the stage to config/stages.yml."],
    "stage_of_history_is_unknown": ["An earlier stage is not mapped: its time in that stage does not count.", "Add the stage to config/stages.yml."],
    "close_date_is_missing": ["A closed opportunity has no close date: it counts in no period.", "Fill in the close date in the source."],
    "close_date_is_out_of_range": ["The close date is outside the calendar.", "Correct the close date in the source."],
    "exchange_rate_is_missing": ["No exchange rate for the amount: it counts in no sum.",
        "Add the rate to DatedConversionRate in Salesforce, or to the feed exchange_rates."],
    "exchange_rate_in_pipeline_is_missing": ["No exchange rate on some days that it was open: it adds nothing to the pipeline of those days.",
        "Add the rates to DatedConversionRate in Salesforce, or to the feed exchange_rates."],
    "closed_before_creation": ["It was closed before it was created: its durations do not count.", "Correct the dates in the source."],
    "field_does_not_fit": ["A custom field holds what is not of its type; it reads as unknown.", "Correct the value in the CRM, or the type in config/fields.yml."],
    "campaign_of_lead_is_unknown": ["The field that is mapped to the campaign holds the id of none: the lead counts for no campaign.",
        "Correct it in the CRM, or map another field in config/fields.yml."],
    "closed_long_before_it_was_marked": ["It was marked closed long after its close date, on which it counts: its durations do not.", "Correct the close date in the CRM, or raise booking_tolerance_days in config/org.yml."],
    "closed_before_lead_creation": ["It was closed before its lead was created: its durations do not count.", "Correct the dates in the source."],
    "closed_before_first_contact": ["It was closed before the first contact: its durations do not count.", "Correct the dates in the source."],
    "touched_before_creation": ["It was contacted before it was created: its response time does not count.", "Correct the dates in the source."],
    "converted_before_creation": ["It was converted before it was created: its durations do not count.", "Correct the dates in the source."],
    "lead_status_is_unknown": ["The status is not mapped: the lead counts as created only.", "Add the status to config/lead_statuses.yml."],
    "opportunity_is_unknown": ["The CRM has no such opportunity: the amount counts for the company, for no rep.",
        "Correct the opportunity_id in the feed invoices and send the row again."],
    "invoice_is_unknown": ["There is no such invoice: the amount counts for the company, for no rep.",
        "Send the invoice, or correct the invoice_id in the feed payments and send the row again."],
    "employee_is_unknown": ["No user and no personnel row has this employee_id: the quota counts for no one.",
        "Correct the employee_id in the feed quotas, or add the person to the feed personnel."],
    "absent_employee_is_unknown": ["No user and no personnel row has this employee_id: the absence counts for no one.",
        "Correct the employee_id in the feed absences, or add the person to the feed personnel."],
    "campaign_is_unknown": ["No campaign, lead or deal has this id: the cost stands beside nothing that it brought.",
        "Correct the campaign_id in the feed campaign_costs and send the row again."],
    "product_is_unknown": ["No product has this code: the cost counts for none.",
        "Correct the product_code in the feed product_costs, or give the product its code in the CRM."]
}) }}
{%- endmacro %}
