"""Opportunities and their children: history, field history, contact roles, line items, splits."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulation.company.business_time import Bools, Ints
from simulation.company.customers import SPLIT_WEIGHTS
from simulation.company.market import PRODUCTS
from simulation.company.records.columns import constant, dates, flags, joined, money, times, words
from simulation.company.records.directory_text import DirectoryText
from simulation.company.records.history import TrackedField, audit_columns, field_history, user_ids
from simulation.company.records.ids import salesforce_ids
from simulation.company.records.writer import RecordWriter
from simulation.company.region import Region
from simulation.company.steps import carry_forward
from simulation.company.touches import has_colleague
from simulation.company.vocabulary import (
    COMPETITORS,
    CURRENCIES,
    LOSS_REASONS,
    OPPORTUNITY_TYPES,
    SOURCES,
    STAGE_CATEGORY,
    STAGE_PROBABILITY,
    STAGES,
    WON,
)  # fmt: skip


def write_deals(region: Region, text: DirectoryText, writer: RecordWriter) -> None:
    """Write every version of every opportunity and its children."""
    deals, steps, base = region.deals, region.deal_steps, region.first_serial
    entity, state, row = steps.entity, steps.state, np.arange(len(steps.entity))
    stage, offer = state["stage"], state["offer"]
    amount = np.where(offer >= 0, region.offers.amount[entity, np.maximum(offer, 0)], 0)
    no_amount = offer < 0
    probability = np.array(STAGE_PROBABILITY)[stage]
    created_day = region.calendar.day(deals.created_at[entity])
    territory = region.people.place_on(deals.first_owner[entity], created_day, "territory")
    owner, currency = user_ids(region, state["owner"]), words(CURRENCIES, deals.currency[entity])
    account = deals.account[entity]
    stage_text, category = words(STAGES, stage), words(STAGE_CATEGORY, stage)
    amount_text = money(amount, no_amount).cast(pa.string())
    columns = audit_columns("Opportunity", region, steps, base + entity) | {
        "AccountId": salesforce_ids("Account", base + account),
        "Name": joined(text.company.take(pa.array(account)), " - ", words(OPPORTUNITY_TYPES, deals.type[entity])),
        "StageName": stage_text,
        "Amount": money(amount, no_amount),
        "CurrencyIsoCode": currency,
        "Probability": pa.array(probability.astype(float)),
        "CloseDate": dates(state["close_day"]),
        "IsClosed": flags(stage >= WON),
        "IsWon": flags(stage == WON),
        "ForecastCategoryName": category,
        "OwnerId": owner,
        "LeadSource": words(SOURCES, np.where(deals.lead[entity] >= 0, region.leads.source[account], -1)),
        "CampaignId": salesforce_ids("Campaign", np.where(deals.lead[entity] >= 0, region.leads.campaign[account], -1)),
        "Type": words(OPPORTUNITY_TYPES, deals.type[entity]),
        "ContactId": salesforce_ids("Contact", base + 2 * account),
        "Competitor__c": words(COMPETITORS, state["competitor"]),
        "Loss_Reason__c": words(LOSS_REASONS, state["loss_reason"]),
        "Discount_Percent__c": pa.array(region.offers.discount[entity, np.maximum(offer, 0)] / 100, mask=no_amount),
        "Territory2Id": salesforce_ids("Territory2", region.number * 100 + territory),
        "LastStageChangeDate": times(steps.at[carry_forward(np.where(steps.changed["stage"], row, -1))]),
    }
    writer.write("salesforce/Opportunity", columns)
    changed = steps.changed
    tracked = {
        "Owner": TrackedField(changed["owner"], owner, "EntityId"),
        "StageName": TrackedField(changed["stage"], stage_text, "DynamicEnum"),
        "Amount": TrackedField(_changed_text(amount, no_amount, steps.is_first), amount_text, "Currency"),
        "CloseDate": TrackedField(changed["close_day"], dates(state["close_day"]).cast(pa.string()), "DateOnly"),
        "ForecastCategoryName": TrackedField(
            changed["stage"] & _changed_text(np.array([0, 0, 0, 1, 2, 3, 4])[stage], no_amount & False, steps.is_first),
            category,
            "DynamicEnum",
        ),
    }
    writer.write(
        "salesforce/OpportunityFieldHistory",
        field_history("OpportunityFieldHistory", "OpportunityId", columns["Id"], region, steps, tracked),
    )
    shown = np.flatnonzero(changed["stage"] | changed["close_day"] | tracked["Amount"].changed | steps.is_first)
    pick = pa.array(shown)
    expected = (amount * probability + 50) // 100
    history = {
        name: columns[name].take(pick)
        for name in ("StageName", "Amount", "CloseDate", "Probability", "CurrencyIsoCode", "_visible_from")
    }
    history |= {
        "Id": salesforce_ids("OpportunityHistory", base * 2 + shown),
        "IsDeleted": constant(False, len(shown)),
        "OpportunityId": columns["Id"].take(pick),
        "CreatedById": columns["LastModifiedById"].take(pick),
        "CreatedDate": columns["SystemModstamp"].take(pick),
        "ExpectedRevenue": money(expected[shown], no_amount[shown]),
        "ForecastCategory": category.take(pick),
        "SystemModstamp": columns["SystemModstamp"].take(pick),
    }
    writer.write("salesforce/OpportunityHistory", history)
    _write_line_items(region, writer)
    _write_contact_roles(region, writer)
    _write_splits(region, writer)


def _changed_text(values: Ints, missing: Bools, is_first: Bools) -> Bools:
    shown = np.where(missing, np.iinfo(np.int64).min, values)
    result = is_first.copy()
    result[1:] |= shown[1:] != shown[:-1]
    return result


def _write_line_items(region: Region, writer: RecordWriter) -> None:
    steps, offers = region.deal_steps, region.offers
    offer, deleted = steps.state["offer"], steps.changed["is_deleted"] & (steps.state["is_deleted"] == 1)
    rows = np.flatnonzero((offer >= 0) & (steps.changed["offer"] | deleted))
    entity = steps.entity[rows]
    step, product = np.nonzero(offers.quantity[entity, offer[rows]] > 0)
    entity, step_row = entity[step], rows[step]
    version = offer[step_row]
    first_row = np.full(len(region.deals), len(steps.entity))
    np.minimum.at(first_row, entity, step_row)
    created = first_row[entity]
    quantity, price = offers.quantity[entity, version, product], offers.unit_price[entity, version, product]
    currency = region.deals.currency[entity]
    writer.write(
        "salesforce/OpportunityLineItem",
        {
            "Id": salesforce_ids("OpportunityLineItem", region.first_serial + entity * 8 + product),
            "IsDeleted": flags(steps.state["is_deleted"][step_row]),
            "CreatedDate": times(steps.at[created]),
            "CreatedById": user_ids(region, steps.actor[created]),
            "LastModifiedDate": times(steps.at[step_row]),
            "LastModifiedById": user_ids(region, steps.actor[step_row]),
            "SystemModstamp": times(steps.at[step_row]),
            "OpportunityId": salesforce_ids("Opportunity", region.first_serial + entity),
            "Product2Id": salesforce_ids("Product2", product),
            "Quantity": pa.array(quantity.astype(float)),
            "UnitPrice": money(price),
            "ListPrice": money(region.market.list_prices[product, currency]),
            "TotalPrice": money(quantity * price),
            "CurrencyIsoCode": words(CURRENCIES, currency),
            "_visible_from": times(steps.visible_from[step_row]),
        },
    )
    assert len(PRODUCTS) <= 8


def _write_contact_roles(region: Region, writer: RecordWriter) -> None:
    steps, deals, base = region.deal_steps, region.deals, region.first_serial
    deleted = steps.changed["is_deleted"] & (steps.state["is_deleted"] == 1)
    rows = np.flatnonzero(steps.is_first | deleted)
    second = has_colleague(region.leads)[deals.account[steps.entity[rows]]]
    rows, place = (
        np.concatenate([rows, rows[second]]),
        np.concatenate([np.zeros(len(rows), dtype=np.int64), np.ones(int(second.sum()), dtype=np.int64)]),
    )
    start, entity = steps.start()[rows], steps.entity[rows]
    lag = place * 300
    writer.write(
        "salesforce/OpportunityContactRole",
        {
            "Id": salesforce_ids("OpportunityContactRole", base + entity * 2 + place),
            "IsDeleted": flags(steps.state["is_deleted"][rows]),
            "CreatedDate": times(steps.at[start] + lag),
            "CreatedById": user_ids(region, steps.actor[start]),
            "LastModifiedDate": times(steps.at[rows] + lag),
            "LastModifiedById": user_ids(region, steps.actor[rows]),
            "SystemModstamp": times(steps.at[rows] + lag),
            "OpportunityId": salesforce_ids("Opportunity", base + entity),
            "ContactId": salesforce_ids("Contact", base + 2 * deals.account[entity] + place),
            "Role": words(["Decision Maker", "Evaluator"], place),
            "IsPrimary": flags(place == 0),
            "_visible_from": times(steps.visible_from[rows] + lag),
        },
    )


def split_amounts(amount: Ints, percent: Ints) -> Ints:
    """Split cents by percentages that sum to 100: largest remainder, ties to the earlier share."""
    exact = amount[:, None] * percent
    share = exact // 100
    missing = amount - share.sum(axis=1)
    order = np.argsort(-(exact - share * 100), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    shares: Ints = share + (rank < missing[:, None])
    return shares


def _write_splits(region: Region, writer: RecordWriter) -> None:
    steps, splits, base = region.deal_steps, region.splits, region.first_serial
    position = np.full(len(region.deals), -1)
    position[splits.deal] = np.arange(len(splits.deal))
    offer = steps.state["offer"]
    rows = np.flatnonzero(
        (position[steps.entity] >= 0)
        & (steps.state["stage"] == WON)
        & (steps.changed["stage"] | steps.changed["offer"])
    )
    entity = steps.entity[rows]
    shares = split_amounts(region.offers.amount[entity, np.maximum(offer[rows], 0)], splits.percent[position[entity]])
    step, place = np.nonzero(splits.percent[position[entity]] > 0)
    entity, step_row = entity[step], rows[step]
    first_row = np.full(len(region.deals), len(steps.entity))
    np.minimum.at(first_row, entity, step_row)
    created = first_row[entity]
    writer.write(
        "salesforce/OpportunitySplit",
        {
            "Id": salesforce_ids("OpportunitySplit", base + entity * 4 + place),
            "IsDeleted": constant(False, len(entity)),
            "CreatedDate": times(steps.at[created]),
            "CreatedById": user_ids(region, steps.actor[created]),
            "LastModifiedDate": times(steps.at[step_row]),
            "LastModifiedById": user_ids(region, steps.actor[step_row]),
            "SystemModstamp": times(steps.at[step_row]),
            "OpportunityId": salesforce_ids("Opportunity", base + entity),
            "SplitOwnerId": user_ids(region, splits.person[position[entity], place]),
            "SplitPercentage": pa.array(splits.percent[position[entity], place].astype(float)),
            "SplitAmount": money(shares[step, place]),
            "SplitTypeId": salesforce_ids("OpportunitySplitType", np.ones(len(entity), dtype=np.int64)),
            "CurrencyIsoCode": words(CURRENCIES, region.deals.currency[entity]),
            "_visible_from": times(steps.visible_from[step_row]),
        },
    )
    assert SPLIT_WEIGHTS.sum(axis=1).tolist() == [100] * len(SPLIT_WEIGHTS)
