{#- Written by `make generate` from dbt_project/metrics.yml: edit that. -#}
{% macro metric_registry() -%}
{{ return({
    "events": [
        {
            "name": "leads",
            "model": "int_events__leads",
            "date": "date_day",
            "where": "true",
            "measures": [
                {"name": "leads_generated", "where": "moment = 'created'", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["leads"]},
                {"name": "leads_qualified", "where": "moment = 'qualified'", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["leads"]},
                {"name": "leads_converted", "where": "moment = 'converted'", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["leads"]},
                {"name": "leads_disqualified", "where": "moment = 'disqualified'", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["leads"]},
                {
                    "name": "leads_touched",
                    "where": "moment = 'handled' and not is_untouched",
                    "sum": "1",
                    "type": "bigint",
                    "if_none": "0",
                    "needs": ["leads"]
                },
                {
                    "name": "leads_untouched",
                    "where": "moment = 'handled' and is_untouched",
                    "sum": "1",
                    "type": "bigint",
                    "if_none": "0",
                    "needs": ["leads"]
                }
            ],
            "durations": [
                {"name": "lead_follow_up_minutes", "where": "moment = 'handled'", "value": "follow_up_minutes"},
                {"name": "lead_follow_up_business_minutes", "where": "moment = 'handled'", "value": "follow_up_business_minutes"},
                {"name": "lead_response_minutes", "where": "moment = 'assigned'", "value": "response_minutes"},
                {"name": "lead_response_business_minutes", "where": "moment = 'assigned'", "value": "response_business_minutes"}
            ]
        },
        {
            "name": "deals",
            "model": "int_events__deals",
            "date": "date_day",
            "where": "true",
            "measures": [
                {"name": "deals_created", "where": "moment = 'created'", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["deals"]},
                {
                    "name": "deals_created_won",
                    "where": "moment = 'created' and is_won",
                    "sum": "1",
                    "type": "bigint",
                    "if_none": "0",
                    "needs": ["deals"]
                },
                {
                    "name": "deals_created_amount",
                    "where": "moment = 'created'",
                    "sum": "last_amount_reporting",
                    "type": "decimal(28, 2)",
                    "if_none": "0",
                    "needs": ["deals"]
                },
                {
                    "name": "deals_created_won_amount",
                    "where": "moment = 'created' and is_won",
                    "sum": "amount_reporting",
                    "type": "decimal(28, 2)",
                    "if_none": "0",
                    "needs": ["deals"]
                },
                {"name": "deals_closed", "where": "moment = 'closed' and is_won", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["deals"]},
                {"name": "deals_lost", "where": "moment = 'closed' and is_lost", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["deals"]},
                {
                    "name": "bookings",
                    "where": "moment = 'closed' and is_won",
                    "sum": "amount_reporting",
                    "type": "decimal(28, 2)",
                    "if_none": "0",
                    "needs": ["deals"]
                },
                {
                    "name": "lost_amount",
                    "where": "moment = 'closed' and is_lost",
                    "sum": "lost_amount_reporting",
                    "type": "decimal(28, 2)",
                    "if_none": "0",
                    "needs": ["deals"]
                },
                {
                    "name": "lost_without_amount",
                    "where": "moment = 'closed' and is_lost and lost_amount_reporting is null",
                    "sum": "1",
                    "type": "bigint",
                    "if_none": "0",
                    "needs": ["deals"]
                },
                {
                    "name": "deals_lost_reached",
                    "where": "moment = 'closed' and is_lost and has_reached_qualified",
                    "sum": "1",
                    "type": "bigint",
                    "if_none": "0",
                    "needs": ["deals"]
                },
                {
                    "name": "lost_reached_amount",
                    "where": "moment = 'closed' and is_lost and has_reached_qualified",
                    "sum": "lost_amount_reporting",
                    "type": "decimal(28, 2)",
                    "if_none": "0",
                    "needs": ["deals"]
                },
                {"name": "open_deals", "where": "moment = 'due'", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["deals"]},
                {
                    "name": "open_pipeline",
                    "where": "moment = 'due'",
                    "sum": "amount_reporting",
                    "type": "decimal(28, 2)",
                    "if_none": "0",
                    "needs": ["deals"]
                },
                {
                    "name": "weighted_pipeline",
                    "where": "moment = 'due'",
                    "sum": "weighted_amount_reporting",
                    "type": "decimal(28, 2)",
                    "if_none": "0",
                    "needs": ["deals"]
                }
            ],
            "durations": [
                {"name": "sales_cycle_days", "where": "moment = 'closed' and is_won and data_error is null", "value": "days_lead_to_close"},
                {"name": "sales_cycle_won_and_lost_days", "where": "moment = 'closed' and data_error is null", "value": "days_lead_to_close"},
                {"name": "deal_cycle_days", "where": "moment = 'closed' and is_won and data_error is null", "value": "days_opportunity_to_close"},
                {"name": "deal_cycle_won_and_lost_days", "where": "moment = 'closed' and data_error is null", "value": "days_opportunity_to_close"}
            ]
        },
        {
            "name": "credits",
            "model": "int_events__credits",
            "date": "date_day",
            "where": "true",
            "measures": [{"name": "credited_amount", "where": "true", "sum": "credited_amount", "type": "decimal(28, 2)", "if_none": "0", "needs": ["deals"]}],
            "durations": []
        },
        {
            "name": "close_date_changes",
            "model": "int_events__close_date_changes",
            "date": "date_day",
            "where": "true",
            "measures": [{"name": "close_date_pushes", "where": "is_push", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["deal_history"]}],
            "durations": []
        },
        {
            "name": "attendances",
            "model": "int_events__attendances",
            "date": "date_day",
            "where": "true",
            "measures": [{"name": "meetings_attended", "where": "true", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["calendar"]}],
            "durations": []
        },
        {
            "name": "activities",
            "model": "fct_activities",
            "date": "occurred_date",
            "where": "is_counted",
            "measures": [
                {
                    "name": "calls_placed",
                    "where": "activity_type = 'call' and direction = 'outbound'",
                    "sum": "1",
                    "type": "bigint",
                    "if_none": "0",
                    "needs": ["calls"]
                },
                {
                    "name": "calls_connected",
                    "where": "activity_type = 'call' and direction = 'outbound' and is_connected",
                    "sum": "1",
                    "type": "bigint",
                    "if_none": "0",
                    "needs": ["calls"]
                },
                {
                    "name": "phone_seconds",
                    "where": "activity_type = 'call'",
                    "sum": "talk_seconds",
                    "type": "bigint",
                    "if_none": "0",
                    "needs": ["calls"]
                },
                {"name": "emails_sent", "where": "activity_type = 'email'", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["mail"]},
                {"name": "meetings_held", "where": "activity_type = 'meeting'", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["calendar"]},
                {
                    "name": "meeting_minutes",
                    "where": "activity_type = 'meeting'",
                    "sum": "duration_minutes",
                    "type": "bigint",
                    "if_none": "0",
                    "needs": ["calendar"]
                },
                {"name": "tasks_completed", "where": "activity_type = 'task'", "sum": "1", "type": "bigint", "if_none": "0", "needs": ["tasks"]}
            ],
            "durations": []
        },
        {
            "name": "data_entries",
            "model": "int_events__data_entries",
            "date": "date_day",
            "where": "true",
            "measures": [{"name": "prospect_data_entries", "where": "true", "sum": "entry_count", "type": "bigint", "if_none": "0", "needs": ["change_history"]}],
            "durations": []
        },
        {
            "name": "invoices",
            "model": "fct_invoices",
            "date": "invoice_date",
            "where": "is_counted",
            "measures": [{"name": "invoiced", "where": "true", "sum": "amount_reporting", "type": "decimal(28, 2)", "if_none": "0", "needs": ["invoices"]}],
            "durations": []
        },
        {
            "name": "payments",
            "model": "fct_payments",
            "date": "payment_date",
            "where": "is_counted",
            "measures": [{"name": "collected", "where": "true", "sum": "amount_reporting", "type": "decimal(28, 2)", "if_none": "0", "needs": ["payments"]}],
            "durations": []
        },
        {
            "name": "staffing",
            "model": "int_staffing",
            "date": "date_day",
            "where": "is_past",
            "measures": [{"name": "available_minutes", "where": "true", "sum": "available_minutes", "type": "bigint", "if_none": "0", "needs": ["personnel"]}],
            "durations": []
        },
        {
            "name": "selling_time",
            "model": "int_selling_time",
            "date": "date_day",
            "where": "true",
            "measures": [
                {
                    "name": "selling_seconds",
                    "where": "true",
                    "sum": "selling_seconds",
                    "type": "decimal(28, 2)",
                    "if_none": "0",
                    "needs": ["personnel", "activities"]
                }
            ],
            "durations": []
        },
        {
            "name": "quotas",
            "model": "int_quotas",
            "date": "period_start",
            "where": "true",
            "measures": [{"name": "quota_amount", "where": "true", "sum": "quota_amount", "type": "decimal(28, 2)", "if_none": "null", "needs": ["quotas"]}],
            "durations": []
        }
    ],
    "inputs": {
        "int_metrics__positions": [{"name": "deals_due", "if_none": "null"}, {"name": "deals_slipped", "if_none": "null"}, {"name": "open_deals_at_end", "if_none": "0"}],
        "int_metrics__remaining_quota": [{"name": "remaining_quota", "if_none": "null"}],
        "int_metrics__staff": [{"name": "rep_count", "if_none": "null"}, {"name": "fte_count", "if_none": "null"}]
    },
    "grains": {"quota_amount": ["month", "quarter", "year"], "average_quarterly_revenue_per_rep": ["quarter"], "average_quarterly_revenue_per_fte": ["quarter"]},
    "columns": [
        {"name": "leads_generated", "sql": "cast(leads_generated as bigint)"},
        {"name": "leads_qualified", "sql": "cast(leads_qualified as bigint)"},
        {"name": "leads_converted", "sql": "cast(leads_converted as bigint)"},
        {"name": "leads_disqualified", "sql": "cast(leads_disqualified as bigint)"},
        {"name": "leads_touched", "sql": "cast(leads_touched as bigint)"},
        {"name": "leads_untouched", "sql": "cast(leads_untouched as bigint)"},
        {"name": "deals_created", "sql": "cast(deals_created as bigint)"},
        {"name": "deals_created_won", "sql": "cast(deals_created_won as bigint)"},
        {"name": "deals_created_amount", "sql": "cast(deals_created_amount as decimal(28, 2))"},
        {"name": "deals_created_won_amount", "sql": "cast(deals_created_won_amount as decimal(28, 2))"},
        {"name": "deals_closed", "sql": "cast(deals_closed as bigint)"},
        {"name": "deals_lost", "sql": "cast(deals_lost as bigint)"},
        {"name": "bookings", "sql": "cast(bookings as decimal(28, 2))"},
        {"name": "lost_amount", "sql": "cast(lost_amount as decimal(28, 2))"},
        {"name": "lost_without_amount", "sql": "cast(lost_without_amount as bigint)"},
        {"name": "deals_lost_reached", "sql": "cast(deals_lost_reached as bigint)"},
        {"name": "lost_reached_amount", "sql": "cast(lost_reached_amount as decimal(28, 2))"},
        {"name": "open_deals", "sql": "cast(open_deals as bigint)"},
        {"name": "open_pipeline", "sql": "cast(open_pipeline as decimal(28, 2))"},
        {"name": "weighted_pipeline", "sql": "cast(weighted_pipeline as decimal(28, 2))"},
        {"name": "close_date_pushes", "sql": "cast(close_date_pushes as bigint)"},
        {"name": "calls_placed", "sql": "cast(calls_placed as bigint)"},
        {"name": "calls_connected", "sql": "cast(calls_connected as bigint)"},
        {"name": "phone_seconds", "sql": "cast(phone_seconds as bigint)"},
        {"name": "emails_sent", "sql": "cast(emails_sent as bigint)"},
        {"name": "meetings_held", "sql": "cast(meetings_held as bigint)"},
        {"name": "meetings_attended", "sql": "cast(meetings_attended as bigint)"},
        {"name": "meeting_minutes", "sql": "cast(meeting_minutes as bigint)"},
        {"name": "available_minutes", "sql": "cast(available_minutes as bigint)"},
        {"name": "selling_seconds", "sql": "cast(selling_seconds as decimal(28, 2))"},
        {"name": "tasks_completed", "sql": "cast(tasks_completed as bigint)"},
        {"name": "prospect_data_entries", "sql": "cast(prospect_data_entries as bigint)"},
        {"name": "invoiced", "sql": "cast(invoiced as decimal(28, 2))"},
        {"name": "collected", "sql": "cast(collected as decimal(28, 2))"},
        {"name": "credited_amount", "sql": "cast(credited_amount as decimal(28, 2))"},
        {"name": "quota_amount", "sql": "cast(quota_amount as decimal(28, 2))"},
        {"name": "revenue", "sql": "cast(bookings as decimal(28, 2))"},
        {"name": "win_rate_count_closed_numerator", "sql": "cast(deals_closed as bigint)"},
        {"name": "win_rate_count_closed_denominator", "sql": "cast(deals_closed + deals_lost as bigint)"},
        {
            "name": "win_rate_count_closed",
            "sql": "case when win_rate_count_closed_denominator > 0 then cast(win_rate_count_closed_numerator as double) / cast(win_rate_count_closed_denominator as double) end"
        },
        {"name": "win_rate_amount_closed_numerator", "sql": "cast(bookings as decimal(28, 2))"},
        {"name": "win_rate_amount_closed_denominator", "sql": "cast(bookings + lost_amount as decimal(28, 2))"},
        {
            "name": "win_rate_amount_closed",
            "sql": "case when win_rate_amount_closed_denominator > 0 and win_rate_amount_closed_numerator between 0 and win_rate_amount_closed_denominator then cast(win_rate_amount_closed_numerator as double) / cast(win_rate_amount_closed_denominator as double) end"
        },
        {"name": "win_rate_count_created_numerator", "sql": "cast(deals_created_won as bigint)"},
        {"name": "win_rate_count_created_denominator", "sql": "cast(deals_created as bigint)"},
        {
            "name": "win_rate_count_created",
            "sql": "case when win_rate_count_created_denominator > 0 then cast(win_rate_count_created_numerator as double) / cast(win_rate_count_created_denominator as double) end"
        },
        {"name": "win_rate_amount_created_numerator", "sql": "cast(deals_created_won_amount as decimal(28, 2))"},
        {"name": "win_rate_amount_created_denominator", "sql": "cast(deals_created_amount as decimal(28, 2))"},
        {
            "name": "win_rate_amount_created",
            "sql": "case when win_rate_amount_created_denominator > 0 and win_rate_amount_created_numerator between 0 and win_rate_amount_created_denominator then cast(win_rate_amount_created_numerator as double) / cast(win_rate_amount_created_denominator as double) end"
        },
        {"name": "win_rate_count_reached_numerator", "sql": "cast(deals_closed as bigint)"},
        {"name": "win_rate_count_reached_denominator", "sql": "cast(deals_closed + deals_lost_reached as bigint)"},
        {
            "name": "win_rate_count_reached",
            "sql": "case when win_rate_count_reached_denominator > 0 then cast(win_rate_count_reached_numerator as double) / cast(win_rate_count_reached_denominator as double) end"
        },
        {"name": "win_rate_amount_reached_numerator", "sql": "cast(bookings as decimal(28, 2))"},
        {"name": "win_rate_amount_reached_denominator", "sql": "cast(bookings + lost_reached_amount as decimal(28, 2))"},
        {
            "name": "win_rate_amount_reached",
            "sql": "case when win_rate_amount_reached_denominator > 0 and win_rate_amount_reached_numerator between 0 and win_rate_amount_reached_denominator then cast(win_rate_amount_reached_numerator as double) / cast(win_rate_amount_reached_denominator as double) end"
        },
        {"name": "lead_qualification_per_lead_created_ratio_numerator", "sql": "cast(leads_qualified as bigint)"},
        {"name": "lead_qualification_per_lead_created_ratio_denominator", "sql": "cast(leads_generated as bigint)"},
        {
            "name": "lead_qualification_per_lead_created_ratio",
            "sql": "case when lead_qualification_per_lead_created_ratio_denominator > 0 then cast(lead_qualification_per_lead_created_ratio_numerator as double) / cast(lead_qualification_per_lead_created_ratio_denominator as double) end"
        },
        {"name": "deal_closing_per_lead_created_ratio_numerator", "sql": "cast(deals_closed as bigint)"},
        {"name": "deal_closing_per_lead_created_ratio_denominator", "sql": "cast(leads_generated as bigint)"},
        {
            "name": "deal_closing_per_lead_created_ratio",
            "sql": "case when deal_closing_per_lead_created_ratio_denominator > 0 then cast(deal_closing_per_lead_created_ratio_numerator as double) / cast(deal_closing_per_lead_created_ratio_denominator as double) end"
        },
        {"name": "quota_attainment_ratio_numerator", "sql": "cast(credited_amount as decimal(28, 2))"},
        {"name": "quota_attainment_ratio_denominator", "sql": "cast(quota_amount as decimal(28, 2))"},
        {
            "name": "quota_attainment_ratio",
            "sql": "case when quota_attainment_ratio_denominator > 0 then cast(quota_attainment_ratio_numerator as double) / cast(quota_attainment_ratio_denominator as double) end"
        },
        {"name": "pipeline_coverage_ratio_numerator", "sql": "cast(open_pipeline as decimal(28, 2))"},
        {"name": "pipeline_coverage_ratio_denominator", "sql": "cast(remaining_quota as decimal(28, 2))"},
        {
            "name": "pipeline_coverage_ratio",
            "sql": "case when pipeline_coverage_ratio_denominator > 0 then cast(pipeline_coverage_ratio_numerator as double) / cast(pipeline_coverage_ratio_denominator as double) end"
        },
        {"name": "slippage_rate_numerator", "sql": "cast(deals_slipped as bigint)"},
        {"name": "slippage_rate_denominator", "sql": "cast(deals_due as bigint)"},
        {
            "name": "slippage_rate",
            "sql": "case when slippage_rate_denominator > 0 then cast(slippage_rate_numerator as double) / cast(slippage_rate_denominator as double) end"
        },
        {"name": "open_deals_at_end", "sql": "cast(open_deals_at_end as bigint)"},
        {
            "name": "sales_velocity",
            "sql": "cast(cast(open_deals_at_end as double) * case when deals_closed + deals_lost <> 0 then cast(bookings as double) / cast(deals_closed + deals_lost as double) end / nullif(deal_cycle_days_mean, 0) as double)"
        },
        {"name": "selling_time_share_numerator", "sql": "cast(selling_seconds as decimal(28, 2))"},
        {"name": "selling_time_share_denominator", "sql": "cast(60 * available_minutes as bigint)"},
        {
            "name": "selling_time_share",
            "sql": "case when selling_time_share_denominator > 0 then cast(selling_time_share_numerator as double) / cast(selling_time_share_denominator as double) end"
        },
        {"name": "minutes_per_email", "sql": "cast(minutes_per_email as decimal(9, 2))"},
        {"name": "average_quarterly_revenue_per_rep_numerator", "sql": "cast(case when rep_count is not null then bookings end as decimal(28, 2))"},
        {"name": "average_quarterly_revenue_per_rep_denominator", "sql": "cast(rep_count as bigint)"},
        {
            "name": "average_quarterly_revenue_per_rep",
            "sql": "case when average_quarterly_revenue_per_rep_denominator > 0 then cast(average_quarterly_revenue_per_rep_numerator as double) / cast(average_quarterly_revenue_per_rep_denominator as double) end"
        },
        {"name": "average_quarterly_revenue_per_fte_numerator", "sql": "cast(case when rep_count is not null then bookings end as decimal(28, 2))"},
        {"name": "average_quarterly_revenue_per_fte_denominator", "sql": "cast(fte_count as double)"},
        {
            "name": "average_quarterly_revenue_per_fte",
            "sql": "case when average_quarterly_revenue_per_fte_denominator > 0 then cast(average_quarterly_revenue_per_fte_numerator as double) / cast(average_quarterly_revenue_per_fte_denominator as double) end"
        },
        {"name": "sales_cycle_days_mean", "sql": "cast(sales_cycle_days_mean as double)"},
        {"name": "sales_cycle_days_median", "sql": "cast(sales_cycle_days_median as double)"},
        {"name": "sales_cycle_days_count", "sql": "cast(coalesce(sales_cycle_days_count, 0) as bigint)"},
        {"name": "sales_cycle_won_and_lost_days_mean", "sql": "cast(sales_cycle_won_and_lost_days_mean as double)"},
        {"name": "sales_cycle_won_and_lost_days_median", "sql": "cast(sales_cycle_won_and_lost_days_median as double)"},
        {"name": "sales_cycle_won_and_lost_days_count", "sql": "cast(coalesce(sales_cycle_won_and_lost_days_count, 0) as bigint)"},
        {"name": "deal_cycle_days_mean", "sql": "cast(deal_cycle_days_mean as double)"},
        {"name": "deal_cycle_days_median", "sql": "cast(deal_cycle_days_median as double)"},
        {"name": "deal_cycle_days_count", "sql": "cast(coalesce(deal_cycle_days_count, 0) as bigint)"},
        {"name": "deal_cycle_won_and_lost_days_mean", "sql": "cast(deal_cycle_won_and_lost_days_mean as double)"},
        {"name": "deal_cycle_won_and_lost_days_median", "sql": "cast(deal_cycle_won_and_lost_days_median as double)"},
        {"name": "deal_cycle_won_and_lost_days_count", "sql": "cast(coalesce(deal_cycle_won_and_lost_days_count, 0) as bigint)"},
        {"name": "lead_follow_up_minutes_mean", "sql": "cast(lead_follow_up_minutes_mean as double)"},
        {"name": "lead_follow_up_minutes_median", "sql": "cast(lead_follow_up_minutes_median as double)"},
        {"name": "lead_follow_up_minutes_count", "sql": "cast(coalesce(lead_follow_up_minutes_count, 0) as bigint)"},
        {"name": "lead_follow_up_business_minutes_mean", "sql": "cast(lead_follow_up_business_minutes_mean as double)"},
        {"name": "lead_follow_up_business_minutes_median", "sql": "cast(lead_follow_up_business_minutes_median as double)"},
        {"name": "lead_follow_up_business_minutes_count", "sql": "cast(coalesce(lead_follow_up_business_minutes_count, 0) as bigint)"},
        {"name": "lead_response_minutes_mean", "sql": "cast(lead_response_minutes_mean as double)"},
        {"name": "lead_response_minutes_median", "sql": "cast(lead_response_minutes_median as double)"},
        {"name": "lead_response_minutes_count", "sql": "cast(coalesce(lead_response_minutes_count, 0) as bigint)"},
        {"name": "lead_response_business_minutes_mean", "sql": "cast(lead_response_business_minutes_mean as double)"},
        {"name": "lead_response_business_minutes_median", "sql": "cast(lead_response_business_minutes_median as double)"},
        {"name": "lead_response_business_minutes_count", "sql": "cast(coalesce(lead_response_business_minutes_count, 0) as bigint)"}
    ],
    "needs": {
        "leads_generated": ["leads"],
        "leads_qualified": ["leads"],
        "leads_converted": ["leads"],
        "leads_disqualified": ["leads"],
        "leads_touched": ["leads"],
        "leads_untouched": ["leads"],
        "deals_created": ["deals"],
        "deals_created_won": ["deals"],
        "deals_created_amount": ["deals"],
        "deals_created_won_amount": ["deals"],
        "deals_closed": ["deals"],
        "deals_lost": ["deals"],
        "bookings": ["deals"],
        "lost_amount": ["deals"],
        "lost_without_amount": ["deals"],
        "deals_lost_reached": ["deals"],
        "lost_reached_amount": ["deals"],
        "open_deals": ["deals"],
        "open_pipeline": ["deals"],
        "weighted_pipeline": ["deals"],
        "close_date_pushes": ["deal_history"],
        "calls_placed": ["calls"],
        "calls_connected": ["calls"],
        "phone_seconds": ["calls"],
        "emails_sent": ["mail"],
        "meetings_held": ["calendar"],
        "meetings_attended": ["calendar"],
        "meeting_minutes": ["calendar"],
        "available_minutes": ["personnel"],
        "selling_seconds": ["personnel", "activities"],
        "tasks_completed": ["tasks"],
        "prospect_data_entries": ["change_history"],
        "invoiced": ["invoices"],
        "collected": ["payments"],
        "credited_amount": ["deals"],
        "quota_amount": ["quotas"],
        "revenue": ["deals"],
        "win_rate_count_closed": ["deals"],
        "win_rate_amount_closed": ["deals"],
        "win_rate_count_created": ["deals"],
        "win_rate_amount_created": ["deals"],
        "win_rate_count_reached": ["deals"],
        "win_rate_amount_reached": ["deals"],
        "lead_qualification_per_lead_created_ratio": ["leads"],
        "deal_closing_per_lead_created_ratio": ["deals", "leads"],
        "quota_attainment_ratio": ["deals", "quotas"],
        "pipeline_coverage_ratio": ["deals", "quotas"],
        "slippage_rate": ["deal_history"],
        "open_deals_at_end": ["deal_history"],
        "sales_velocity": ["deal_history"],
        "selling_time_share": ["personnel", "activities"],
        "minutes_per_email": [],
        "average_quarterly_revenue_per_rep": ["deals", "personnel"],
        "average_quarterly_revenue_per_fte": ["deals", "personnel"],
        "sales_cycle_days": ["deals"],
        "sales_cycle_won_and_lost_days": ["deals"],
        "deal_cycle_days": ["deals"],
        "deal_cycle_won_and_lost_days": ["deals"],
        "lead_follow_up_minutes": ["leads", "activities"],
        "lead_follow_up_business_minutes": ["leads", "activities"],
        "lead_response_minutes": ["leads", "activities"],
        "lead_response_business_minutes": ["leads", "activities"]
    },
    "rankable": [
        "leads_generated",
        "deals_created",
        "deals_closed",
        "bookings",
        "calls_placed",
        "calls_connected",
        "phone_seconds",
        "emails_sent",
        "meetings_held",
        "prospect_data_entries",
        "invoiced",
        "collected"
    ]
}) }}
{%- endmacro %}
