"""Records shared by all regions: organization, stages, products, prices, currencies, rates, campaigns, cost feeds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from simulation.company.business_time import BusinessCalendar, day_number, month_number
from simulation.company.market import PRODUCTS, RATE_SCALE, Market, opening_hour
from simulation.company.records.columns import constant, dates, flags, money, rates, times, words
from simulation.company.records.ids import AUTOMATED_USER, salesforce_ids
from simulation.company.records.writer import RecordWriter
from simulation.company.sizes import Size
from simulation.company.vocabulary import (
    COMPANY_NAME,
    CURRENCIES,
    EMAIL_DOMAIN,
    LOST,
    ROLE_TITLES,
    SOURCES,
    STAGE_CATEGORY,
    STAGE_PROBABILITY,
    STAGES,
    WON,
)  # fmt: skip

FOREVER = day_number(date(9999, 12, 31))


def audit(
    kind: str, number: Sequence[int], created: Sequence[int], changed: Sequence[int], with_deleted: bool = True
) -> dict[str, pa.Array]:
    """Audit columns of records maintained by the automated user."""
    size = len(number)
    user = salesforce_ids("User", np.full(size, AUTOMATED_USER))
    deleted = {"IsDeleted": constant(False, size)} if with_deleted else {}
    return deleted | {
        "Id": salesforce_ids(kind, np.array(number)),
        "CreatedDate": times(np.array(created)),
        "CreatedById": user,
        "LastModifiedDate": times(np.array(changed)),
        "LastModifiedById": user,
        "SystemModstamp": times(np.array(changed)),
        "_visible_from": times(np.array(changed)),
    }


def write_company(size: Size, calendar: BusinessCalendar, market: Market, writer: RecordWriter) -> None:
    """Write everything that belongs to no single region."""
    founded = opening_hour(calendar, day_number(size.start) - 5)
    stamp = times(np.array([founded]))
    writer.write(
        "salesforce/Organization",
        {
            "Id": salesforce_ids("Organization", np.array([1])),
            "Name": pa.array([COMPANY_NAME]),
            "TimeZoneSidKey": pa.array(["America/New_York"]),
            "FiscalYearStartMonth": pa.array([2]),
            "OrganizationType": pa.array(["Enterprise Edition"]),
            "CreatedDate": stamp,
            "SystemModstamp": stamp,
            "_visible_from": stamp,
        },
    )
    roles = np.arange(4)
    writer.write(
        "salesforce/UserRole",
        {
            "Id": salesforce_ids("UserRole", roles),
            "Name": pa.array(ROLE_TITLES),
            "ParentRoleId": salesforce_ids("UserRole", np.array([2, 2, 3, -1])),
            "LastModifiedDate": times(np.full(4, founded)),
            "LastModifiedById": salesforce_ids("User", np.zeros(4, dtype=np.int64)),
            "SystemModstamp": times(np.full(4, founded)),
            "_visible_from": times(np.full(4, founded)),
        },
    )
    automated: dict[str, Any] = audit("User", [AUTOMATED_USER], [founded], [founded], with_deleted=False)
    texts = {
        "Username": f"integration@{EMAIL_DOMAIN}",
        "Email": f"integration@{EMAIL_DOMAIN}",
        "Name": "Integration User",
        "FirstName": "Integration",
    }
    texts |= {
        "LastName": "User",
        "TimeZoneSidKey": "America/New_York",
        "UserType": "Standard",
        "DefaultCurrencyIsoCode": "USD",
    }
    writer.write(
        "salesforce/User",
        automated | {name: pa.array([value]) for name, value in texts.items()} | {"IsActive": flags(np.array([1]))},
    )
    _write_stages_and_products(founded, market, writer)
    _write_currencies(size, calendar, market, founded, writer)
    _write_campaigns(calendar, market, writer)


def _write_stages_and_products(founded: int, market: Market, writer: RecordWriter) -> None:
    number = np.arange(len(STAGES))
    at = [founded] * len(STAGES)
    writer.write(
        "salesforce/OpportunityStage",
        audit("OpportunityStage", list(number), at, at, with_deleted=False)
        | {
            "ApiName": pa.array(STAGES),
            "MasterLabel": pa.array(STAGES),
            "SortOrder": pa.array(number + 1),
            "IsActive": constant(True, len(STAGES)),
            "IsClosed": flags(number >= WON),
            "IsWon": flags((number >= WON) & (number != LOST)),
            "DefaultProbability": pa.array(np.array(STAGE_PROBABILITY, dtype=float)),
            "ForecastCategoryName": pa.array(STAGE_CATEGORY),
        },
    )
    count = len(PRODUCTS)
    at = [founded] * count
    writer.write(
        "salesforce/Product2",
        audit("Product2", list(range(count)), at, at)
        | {
            "Name": pa.array([product.name for product in PRODUCTS]),
            "ProductCode": pa.array([product.code for product in PRODUCTS]),
            "Family": pa.array([product.family for product in PRODUCTS]),
            "IsActive": constant(True, count),
        },
    )
    product, currency = np.divmod(np.arange(count * len(CURRENCIES)), len(CURRENCIES))
    at = [founded] * len(product)
    writer.write(
        "salesforce/PricebookEntry",
        audit("PricebookEntry", list(range(len(product))), at, at)
        | {
            "Product2Id": salesforce_ids("Product2", product),
            "UnitPrice": money(market.list_prices[product, currency]),
            "CurrencyIsoCode": words(CURRENCIES, currency),
            "IsActive": constant(True, len(product)),
        },
    )
    years = [founded // 86_400 + 365 * year for year in range(5)]
    cost = [
        (product.code, day, round(product.unit_cost * 1.03**year))
        for product in PRODUCTS
        for year, day in enumerate(years)
    ]
    writer.write(
        "feeds/product_costs",
        {
            "product_code": pa.array([row[0] for row in cost]),
            "valid_from": dates(np.array([row[1] for row in cost])),
            "unit_cost": money(np.array([row[2] for row in cost])),
            "currency": constant("USD", len(cost)),
            "_visible_from": times(np.array([row[1] for row in cost]) * 86_400),
        },
    )


def _write_currencies(
    size: Size, calendar: BusinessCalendar, market: Market, founded: int, writer: RecordWriter
) -> None:
    """Dated rates: each is entered on the evening before its month; until then the previous one is open-ended."""
    first = int(month_number(np.array([day_number(size.start)]))[0]) - int(market.rate_months[0])
    starts = market.rate_months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    rows = []
    for currency in range(len(CURRENCIES)):
        for month in range(first, len(starts)):
            entered = founded if month == first else opening_hour(calendar, int(starts[month]) - 1, 18.0)
            number = currency * 1000 + month
            rate = market.rates[currency, month]
            rows.append((number, entered, entered, currency, starts[month], FOREVER, rate))
            if month + 1 < len(starts):
                rows.append(
                    (
                        number,
                        entered,
                        opening_hour(calendar, int(starts[month + 1]) - 1, 18.0),
                        currency,
                        starts[month],
                        starts[month + 1],
                        rate,
                    )
                )
    table = np.array(rows, dtype=np.int64)
    writer.write(
        "salesforce/DatedConversionRate",
        audit("DatedConversionRate", list(table[:, 0]), list(table[:, 1]), list(table[:, 2]), with_deleted=False)
        | {
            "IsoCode": words(CURRENCIES, table[:, 3]),
            "StartDate": dates(table[:, 4]),
            "NextStartDate": dates(table[:, 5]),
            "ConversionRate": rates(table[:, 6]),
        },
    )
    count = len(CURRENCIES)
    at = [founded] * count
    writer.write(
        "salesforce/CurrencyType",
        audit("CurrencyType", list(range(count)), at, at, with_deleted=False)
        | {
            "IsoCode": pa.array(CURRENCIES),
            "ConversionRate": rates(market.rates[:, first]),
            "DecimalPlaces": pa.array([2] * count),
            "IsActive": constant(True, count),
            "IsCorporate": flags(market.rates[:, 0] == RATE_SCALE),
        },
    )


def _write_campaigns(calendar: BusinessCalendar, market: Market, writer: RecordWriter) -> None:
    """A campaign is planned, runs, and ends; its actual cost grows with each bill in the cost feed."""
    versions, bills = [], []
    for number, campaign in enumerate(market.campaigns):
        planned = opening_hour(calendar, campaign.first_day - 14, 9.5)
        versions.append((number, planned, planned, 0, 0))
        spent = 0
        for day, cents in campaign.monthly_costs:
            spent += cents
            versions.append((number, planned, opening_hour(calendar, day, 10.0), 1, spent))
            bills.append((number, day, cents, opening_hour(calendar, day + 2, 4.0)))
        versions.append((number, planned, opening_hour(calendar, campaign.last_day, 18.5), 2, spent))
    table = np.array(versions, dtype=np.int64)
    chosen = [market.campaigns[number] for number in table[:, 0]]
    writer.write(
        "salesforce/Campaign",
        audit("Campaign", list(table[:, 0]), list(table[:, 1]), list(table[:, 2]))
        | {
            "Name": pa.array([campaign.name for campaign in chosen]),
            "Type": words(SOURCES, np.array([campaign.source for campaign in chosen])),
            "Status": words(["Planned", "In Progress", "Completed"], table[:, 3]),
            "StartDate": dates(np.array([campaign.first_day for campaign in chosen])),
            "EndDate": dates(np.array([campaign.last_day for campaign in chosen])),
            "BudgetedCost": money(np.array([campaign.budget for campaign in chosen])),
            "ActualCost": money(table[:, 4]),
            "IsActive": flags(table[:, 3] == 1),
            "CurrencyIsoCode": constant("USD", len(table)),
        },
    )
    bill = np.array(bills, dtype=np.int64)
    writer.write(
        "feeds/campaign_costs",
        {
            "campaign_id": salesforce_ids("Campaign", bill[:, 0]),
            "cost_date": dates(bill[:, 1]),
            "amount": money(bill[:, 2]),
            "currency": constant("USD", len(bill)),
            "_visible_from": times(bill[:, 3]),
        },
    )
