"""One region of the company, from people to payments. Regions share only the market, so memory holds one at a time."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.company.billing import Invoices, Payments, Quotas, bill, set_quotas
from simulation.company.business_time import BusinessCalendar, instant
from simulation.company.calls import Calls, play_calls
from simulation.company.customers import Customers, Splits, play_customers, share_credit
from simulation.company.deal_steps import Offers, draw_offers, log_deal_steps
from simulation.company.deals import (
    DealLives,
    Deals,
    join_deals,
    join_lives,
    open_from_deals,
    open_from_leads,
    play_deals,
)
from simulation.company.leads import LeadLives, Leads, draw_leads, play_leads
from simulation.company.mail import Messages, play_mail
from simulation.company.market import Market
from simulation.company.meetings import Meetings, play_meetings, play_tasks
from simulation.company.people import People, build_people
from simulation.company.randomness import Randomness
from simulation.company.sizes import Size
from simulation.company.steps import StepTable
from simulation.company.touches import Directory

MAX_PERSONS = 2_000
MAX_ROWS = 20_000_000


@dataclass
class Region:
    """All that happened in a region, in numbers; `records` turns it into system records, `truth` keeps it."""

    number: int
    size: Size
    chance: Randomness
    calendar: BusinessCalendar
    market: Market
    people: People
    directory: Directory
    leads: Leads
    lead_lives: LeadLives
    deals: Deals
    deal_lives: DealLives
    offers: Offers
    deal_steps: StepTable
    calls: Calls
    messages: Messages
    meetings: Meetings
    tasks: Meetings
    customers: Customers
    splits: Splits
    invoices: Invoices
    payments: Payments
    quotas: Quotas

    @property
    def first_serial(self) -> int:
        """Offset that keeps the record numbers of regions apart."""
        return self.number * MAX_ROWS

    @property
    def first_person(self) -> int:
        """Offset that keeps the person numbers of regions apart."""
        return self.number * MAX_PERSONS + 1


def play_region(size: Size, number: int, seed: int, calendar: BusinessCalendar, market: Market) -> Region:
    """Play a region over the whole horizon."""
    chance, until = Randomness(seed, number), instant(size.horizon_end)
    people = build_people(size, calendar, chance, number * MAX_PERSONS + 1)
    leads = draw_leads(size, people, market, chance)
    lead_lives = play_leads(leads, size, people, chance)
    directory = Directory(len(people.persons), len(leads))
    deals, lives = _play_generations(leads, lead_lives, size, people, chance)
    offers = draw_offers(deals, market, chance)
    steps = log_deal_steps(deals, lives, people, chance, until)
    contacts = (size, people, directory, leads, lead_lives, deals, lives, chance)
    invoices, payments = bill(deals, lives, offers, steps, calendar, chance)
    return Region(
        number, size, chance, calendar, market, people, directory, leads, lead_lives, deals, lives, offers, steps, play_calls(*contacts),
        play_mail(*contacts),
        play_meetings(*contacts), play_tasks(*contacts),
        play_customers(size, people, leads, lead_lives, deals, lives, chance), share_credit(deals, lives, people, chance), invoices, payments,
        set_quotas(deals, lives, offers, market, people, size, chance),
    )  # fmt: skip


def _play_generations(
    leads: Leads, lead_lives: LeadLives, size: Size, people: People, chance: Randomness
) -> tuple[Deals, DealLives]:
    """Deals from leads, then two rounds of deals that follow from deals."""
    until = instant(size.horizon_end)
    deals = [open_from_leads(leads, lead_lives, people, chance, until)]
    lives = [play_deals(deals[0], leads, size, people, chance)]
    for _ in range(2):
        deals.append(open_from_deals(leads, deals[-1], lives[-1], people, chance, until))
        lives.append(play_deals(deals[-1], leads, size, people, chance))
    return join_deals(deals), join_lives(lives)
