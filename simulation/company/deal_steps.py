"""The log of all deal changes: stages, amounts, discounts, pushed close dates, owners, corrections after the close."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import DAY, HOUR, BusinessCalendar, Ints, draw_second_of_day
from simulation.company.deals import CYCLE_DAYS, DealLives, Deals
from simulation.company.market import PRODUCTS, Market
from simulation.company.people import People
from simulation.company.randomness import Randomness, draw_true
from simulation.company.steps import NEVER, StepLog, StepTable
from simulation.company.vocabulary import LOST, NEGOTIATION, PROPOSAL, WON

NO_OFFER = -1
FIRST_ESTIMATE, PROPOSED, NEGOTIATED, CORRECTED = range(4)


@dataclass
class Offers:
    """Offers in four versions (first estimate, proposed, negotiated, corrected after the close).

    Attributes:
        quantity: Deal × version × product.
        discount: Deal × version, in basis points.
        unit_price: Deal × version × product, in cents of the deal's currency.
        amount: Deal × version, in cents.
    """

    quantity: Ints
    discount: Ints
    unit_price: Ints
    amount: Ints


def draw_offers(deals: Deals, market: Market, chance: Randomness) -> Offers:
    """Draw quantities and discounts; the amount is the sum of the lines."""
    rng, count = chance.stream("offers"), len(deals)
    scale = (
        np.array([0.8, 2.0, 5.5])[deals.segment]
        * np.array([1.0, 0.45, 0.9])[deals.type]
        * np.exp(rng.normal(0, 0.35, count))
    )
    quantity = np.zeros((count, 4, len(PRODUCTS)), dtype=np.int64)
    final = quantity[:, PROPOSED]
    final[:, 0] = np.where(deals.type == 1, 0, np.maximum(np.round(scale * 0.7), 1))
    final[:, 1] = np.maximum(np.round(scale * 9), 2)
    for product, share in ((2, 0.4), (3, 0.3), (4, 0.35)):
        final[:, product] = draw_true(rng, share, count) * np.maximum(np.round(scale * 0.6), 1)
    quantity[:, FIRST_ESTIMATE] = final
    quantity[:, FIRST_ESTIMATE, 1] = np.maximum(np.round(final[:, 1] * rng.uniform(0.6, 1.35, count)), 1)
    quantity[:, NEGOTIATED] = final
    quantity[:, CORRECTED] = final
    quantity[:, CORRECTED, 1] = np.maximum(final[:, 1] + rng.choice([-1, 1], count), 1)
    discount = np.zeros((count, 4), dtype=np.int64)
    discount[:, PROPOSED] = deals.discount
    discount[:, NEGOTIATED] = deals.discount + rng.choice([0, 250, 500], count)
    discount[:, CORRECTED] = discount[:, NEGOTIATED]
    prices = market.list_prices[:, deals.currency].T
    unit_price = (prices[:, None, :] * (10_000 - discount[:, :, None]) + 5_000) // 10_000
    return Offers(quantity, discount, unit_price, (quantity * unit_price).sum(axis=2))


def log_deal_steps(deals: Deals, lives: DealLives, people: People, chance: Randomness, until: int) -> StepTable:
    """Write the log of all deals up to `until`. Columns: stage, offer, close_day, owner, competitor, loss_reason, is_deleted."""
    rng, count, calendar = chance.stream("deal steps"), len(deals), people.calendar
    log = StepLog(stage=0, offer=NO_OFFER, close_day=0, owner=0, competitor=-1, loss_reason=-1, is_deleted=0)
    every = np.arange(count)
    created_day = calendar.day(deals.created_at)
    expected = created_day + (CYCLE_DAYS[deals.segment] * rng.uniform(0.65, 1.25, count)).astype(np.int64)
    starts_with_amount = draw_true(rng, 0.8, count)
    first_slot = (lives.slot_stage >= 0).argmax(axis=1)
    log.add(
        every, deals.created_at, deals.opened_by, stage=lives.slot_stage[every, first_slot], close_day=expected, owner=deals.first_owner,
        offer=np.where(starts_with_amount, FIRST_ESTIMATE, NO_OFFER),
    )  # fmt: skip
    has_estimate = starts_with_amount.copy()
    negotiates = draw_true(rng, 0.6, count)
    for slot in range(lives.slot_stage.shape[1]):
        rows = np.flatnonzero((lives.slot_stage[:, slot] >= 0) & (slot > first_slot))
        stage, at = lives.slot_stage[rows, slot], lives.slot_at[rows, slot]
        changes: dict[str, Ints] = {"stage": stage}
        closing = stage >= WON
        offer = np.where(
            (stage == PROPOSAL) & (slot <= 9),
            PROPOSED,
            np.where((stage == NEGOTIATION) & negotiates[rows], NEGOTIATED, np.iinfo(np.int64).min),
        )
        offer = np.where((stage == NEGOTIATION) & ~negotiates[rows] & ~has_estimate[rows], PROPOSED, offer)
        estimate = (stage >= 2) & (stage < PROPOSAL) & ~has_estimate[rows]
        offer = np.where(estimate, FIRST_ESTIMATE, offer)
        has_estimate[rows[offer >= 0]] = True
        changes["offer"] = np.where(
            closing, np.where((stage == WON) & ~has_estimate[rows], PROPOSED, np.iinfo(np.int64).min), offer
        )
        reopened = (slot == lives.slot_stage.shape[1] - 2) & ~closing
        unchanged = np.iinfo(np.int64).min
        changes["close_day"] = np.where(closing, calendar.day(at), np.where(reopened, calendar.day(at) + 14, unchanged))
        changes["loss_reason"] = np.where(
            stage == LOST,
            np.where(rng.random(len(rows)) < 0.88, lives.loss_reason[rows], -1),
            np.where(reopened, -1, unchanged),
        )
        changes["competitor"] = np.where((stage == 2) | (stage == PROPOSAL), deals.competitor[rows], unchanged)
        log.add(rows, at, lives.owners.owner_at(rows, at), **changes)
    _push_close_dates(log, lives, expected, created_day, calendar, rng)
    _hand_over(log, lives, calendar)
    _correct_afterwards(log, deals, lives, people, rng)
    rows = np.flatnonzero(lives.deleted < NEVER)
    log.add(rows, lives.deleted[rows], lives.owners.owner_at(rows, lives.deleted[rows]), is_deleted=1)
    return log.finish(rng, until, ends_at=lives.deleted)


def _push_close_dates(
    log: StepLog,
    lives: DealLives,
    expected: Ints,
    created_day: Ints,
    calendar: BusinessCalendar,
    rng: np.random.Generator,
) -> None:
    """Push the expected close date repeatedly while the deal is still open as it approaches; some are forgotten."""
    close_day = calendar.day(lives.first_close)
    planned = expected.copy()
    attentive = draw_true(rng, 0.9, len(planned))
    for _ in range(6):
        rows = np.flatnonzero((planned < close_day) & attentive)
        day = calendar.next_workday(np.maximum(planned[rows] - rng.integers(0, 4, len(rows)), created_day[rows] + 1))
        at = calendar.at(day, draw_second_of_day(rng, len(rows), 0.0))
        planned[rows] += rng.integers(10, 40, len(rows))
        in_time = at < lives.first_close[rows] - HOUR
        rows, at = rows[in_time], at[in_time]
        log.add(rows, at, lives.owners.owner_at(rows, at), close_day=planned[rows])


def _hand_over(log: StepLog, lives: DealLives, calendar: BusinessCalendar) -> None:
    for turn in range(1, 4):
        moved = lives.owners.since[:, turn]
        rows = np.flatnonzero((moved < NEVER) & (moved < lives.closed))
        log.add(rows, moved[rows], -1, owner=lives.owners.owners[rows, turn])


def _correct_afterwards(log: StepLog, deals: Deals, lives: DealLives, people: People, rng: np.random.Generator) -> None:
    """Late edits: won amounts corrected, competitors and loss reasons filled in, some closed deals reassigned."""
    count, calendar = len(deals), people.calendar
    at = lives.closed + rng.integers(6 * HOUR, 20 * DAY, count)
    at = calendar.at(calendar.next_workday(calendar.day(at)), draw_second_of_day(rng, count, 0.0))
    at = np.maximum(at, lives.closed + HOUR)
    owner = lives.owners.owner_at(np.arange(count), lives.closed)
    kind = rng.random(count)
    rows = np.flatnonzero(lives.won & (kind < 0.06))
    log.add(rows, at[rows], owner[rows], offer=CORRECTED)
    rows = np.flatnonzero(~lives.won & (kind < 0.12))
    log.add(rows, at[rows], owner[rows], loss_reason=lives.loss_reason[rows], competitor=deals.competitor[rows])
    taker = np.roll(deals.first_owner, 1)
    stays = people.left[taker] > calendar.day(at)
    rows = np.flatnonzero(lives.won & (kind > 0.96) & stays)
    log.add(rows, at[rows], -1, owner=taker[rows])
