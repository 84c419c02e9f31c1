"""Accounts and contacts: created when a lead converts, edited, sometimes duplicated and merged; shared deal credit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import DAY, HOUR, Bools, Ints, instant
from simulation.company.deals import DealLives, Deals
from simulation.company.leads import LeadLives, Leads
from simulation.company.people import People
from simulation.company.randomness import Randomness, draw_true
from simulation.company.sizes import Size
from simulation.company.steps import NEVER, StepLog, StepTable
from simulation.company.touches import has_colleague
from simulation.company.vocabulary import INDUSTRIES, TITLES

SPLIT_WEIGHTS = np.array([[60, 40, 0], [70, 30, 0], [50, 50, 0], [50, 25, 25]])


@dataclass
class Customers:
    """Accounts and contacts of a region.

    An account has the number of its lead. A contact has twice that number, its colleague one more. Duplicates are
    numbered after all of these; the `master` columns map them to the record they are merged into.

    Attributes:
        accounts: Steps with columns owner, industry, employees, is_customer, is_deleted.
        contacts: Steps with columns owner, title, is_deleted.
        account_master: Account number → the account it is merged into (-1: not merged).
        contact_master: The same for contacts.
        parent: Account number → its parent company's (-1: none).
    """

    accounts: StepTable
    contacts: StepTable
    account_master: Ints
    contact_master: Ints
    parent: Ints


@dataclass
class Splits:
    """Shared credit: deal × three persons (-1: not used) with percentages that sum to 100."""

    deal: Ints
    person: Ints
    percent: Ints


def play_customers(
    size: Size, people: People, leads: Leads, lead_lives: LeadLives, deals: Deals, lives: DealLives, chance: Randomness
) -> Customers:
    """Play the customer records."""
    rng, until, count = chance.stream("customers"), instant(size.horizon_end), len(leads)
    account = np.flatnonzero(lead_lives.converted <= until)
    created = lead_lives.converted[account]
    opener = lead_lives.owners.owner_at(account, created)
    deal = np.full(count, -1)
    from_lead = np.flatnonzero(deals.lead >= 0)
    deal[deals.lead[from_lead]] = from_lead
    first_deal = deal[account]
    log = StepLog(owner=-1, industry=0, employees=0, is_customer=0, is_deleted=0)
    people_log = StepLog(owner=-1, title=0, is_deleted=0)
    owner = deals.first_owner[first_deal]
    log.add(account, created, opener, owner=owner, industry=leads.industry[account], employees=leads.employees[account])
    people_log.add(2 * account, created, opener, owner=owner, title=leads.title[account])
    second = account[has_colleague(leads)[account]]
    met = lead_lives.converted[second] + rng.integers(60, 240, len(second))
    helper = lead_lives.owners.owner_at(second, met)
    people_log.add(
        2 * second + 1,
        met,
        helper,
        owner=deals.first_owner[deal[second]],
        title=rng.integers(0, len(TITLES), len(second)),
    )
    _hand_over(log, people_log, account, first_deal, lives)
    won = np.flatnonzero(lives.won & (lives.closed <= until))
    log.add(deals.account[won], lives.closed[won] + 5, -1, is_customer=1)
    _edit(rng, people, log, people_log, account, created, first_deal, lives, leads)
    account_master, contact_master = _enter_twice(
        rng, people, log, people_log, account, created, opener, leads, 2 * count
    )
    parent = np.full(len(account_master), -1)
    daughters = np.flatnonzero(draw_true(rng, 0.12, len(account)))
    mothers = rng.integers(0, len(account), len(daughters))
    older = created[mothers] < created[daughters]
    parent[account[daughters[older]]] = account[mothers[older]]
    return Customers(log.finish(rng, until), people_log.finish(rng, until), account_master, contact_master, parent)


def _hand_over(log: StepLog, people_log: StepLog, account: Ints, deal: Ints, lives: DealLives) -> None:
    for turn in range(1, 4):
        moved = lives.owners.since[deal, turn]
        rows = np.flatnonzero(moved < NEVER)
        taker = lives.owners.owners[deal[rows], turn]
        log.add(account[rows], moved[rows] + 20, -1, owner=taker)
        people_log.add(2 * account[rows], moved[rows] + 25, -1, owner=taker)


def _edit(
    rng: np.random.Generator,
    people: People,
    log: StepLog,
    people_log: StepLog,
    account: Ints,
    created: Ints,
    deal: Ints,
    lives: DealLives,
    leads: Leads,
) -> None:
    rows = np.flatnonzero(draw_true(rng, 0.15, len(account)))
    at = created[rows] + rng.integers(HOUR, 120 * DAY, len(rows))
    person = lives.owners.owner_at(deal[rows], at)
    at = np.maximum(people.at_work(rng, person, at), created[rows] + 60)
    half: Bools = rng.random(len(rows)) < 0.4
    log.add(account[rows[half]], at[half], person[half], industry=rng.integers(0, len(INDUSTRIES), int(half.sum())))
    log.add(
        account[rows[~half]], at[~half], person[~half], employees=leads.employees[account[rows[~half]]] * 3 // 2 + 1
    )
    people_log.add(2 * account[rows], at + 90, person, title=rng.integers(0, len(TITLES), len(rows)))


def _enter_twice(
    rng: np.random.Generator,
    people: People,
    log: StepLog,
    people_log: StepLog,
    account: Ints,
    created: Ints,
    opener: Ints,
    leads: Leads,
    contacts: int,
) -> tuple[Ints, Ints]:
    rows = np.flatnonzero(draw_true(rng, 0.035, len(account)))
    at = people.at_work(rng, opener[rows], created[rows] + rng.integers(DAY, 50 * DAY, len(rows)))
    merged = at + rng.integers(2 * HOUR, 20 * DAY, len(rows))
    account_master = np.concatenate([np.full(len(leads), -1), account[rows]])
    contact_master = np.concatenate([np.full(contacts, -1), 2 * account[rows]])
    twin, twin_contact = len(leads) + np.arange(len(rows)), contacts + np.arange(len(rows))
    log.add(
        twin,
        at,
        opener[rows],
        owner=opener[rows],
        industry=leads.industry[account[rows]],
        employees=leads.employees[account[rows]],
    )
    log.add(twin, merged, opener[rows], is_deleted=1)
    people_log.add(twin_contact, at + 60, opener[rows], owner=opener[rows], title=leads.title[account[rows]])
    people_log.add(twin_contact, merged + 60, opener[rows], is_deleted=1)
    return account_master, contact_master


def share_credit(deals: Deals, lives: DealLives, people: People, chance: Randomness) -> Splits:
    """Share the credit for some won deals between the owner at close, the opener, and perhaps another outside rep."""
    rng, count = chance.stream("splits"), len(deals)
    chosen = lives.won & (lives.reopened == NEVER) & (lives.deleted == NEVER) & draw_true(rng, 0.09, count)
    owner = lives.owners.owner_at(np.arange(count), lives.closed)
    helper = np.where(deals.opened_by != owner, deals.opened_by, np.roll(deals.first_owner, 1))
    third = np.roll(deals.first_owner, 2)
    deal = np.flatnonzero(chosen & (helper != owner))
    form = rng.integers(0, len(SPLIT_WEIGHTS), len(deal))
    person = np.stack([owner, helper, third], axis=1)[deal]
    form = np.where((person[:, 2] == person[:, 0]) | (person[:, 2] == person[:, 1]), np.minimum(form, 2), form)
    percent = SPLIT_WEIGHTS[form]
    return Splits(deal, np.where(percent > 0, person, -1), percent)
