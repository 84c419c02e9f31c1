"""What the company sells, in which currencies and at which rates, and how it advertises: the same for all regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.company.business_time import HOUR, BusinessCalendar, Floats, Ints, day_number, month_number, to_date
from simulation.company.randomness import Randomness
from simulation.company.sizes import Size
from simulation.company.vocabulary import INBOUND_SOURCES, OUTBOUND_SOURCES, SOURCES

RATE_SCALE = 1_000_000


@dataclass(frozen=True)
class Product:
    """A product; prices and costs in cents of US dollars."""

    code: str
    name: str
    family: str
    list_price: int
    unit_cost: int


PRODUCTS = (
    Product("NL-PLAT", "Northlight Platform", "Platform", 480_000, 96_000),
    Product("NL-SEAT", "Northlight Seat", "Platform", 42_000, 5_500),
    Product("NL-ANLT", "Northlight Analytics", "Analytics", 360_000, 61_000),
    Product("NL-SUPP", "Premium Support", "Services", 240_000, 130_000),
    Product("NL-ONBD", "Onboarding", "Services", 150_000, 98_000),
)
LIST_PRICE_FACTOR = np.array([100, 92, 80])
"""List prices per currency, as percent of the dollar price."""


@dataclass
class Campaign:
    """A campaign; `monthly_costs` are (day, cents), `budget` in cents of US dollars."""

    name: str
    source: int
    first_day: int
    last_day: int
    budget: int
    lift: float
    monthly_costs: list[tuple[int, int]]


@dataclass
class Market:
    """Prices, exchange rates, campaigns and seasons.

    Attributes:
        list_prices: Product × currency, in cents.
        rate_months: Months since 1970 for which there are rates.
        rates: Currency × month: units per US dollar × RATE_SCALE.
        season: Weight of each day of the horizon for new leads.
    """

    list_prices: Ints
    rate_months: Ints
    rates: Ints
    campaigns: list[Campaign]
    season: Floats

    def rate_on(self, currency: Ints, day: Ints) -> Ints:
        """The dated rate of each day, × RATE_SCALE."""
        column = np.clip(month_number(day) - self.rate_months[0], 0, len(self.rate_months) - 1)
        rate: Ints = self.rates[currency, column]
        return rate


def build_market(size: Size, calendar: BusinessCalendar, chance: Randomness) -> Market:
    """Draw exchange rates, campaigns and seasons."""
    rng = chance.stream("market")
    dollars = np.array([product.list_price for product in PRODUCTS])
    list_prices = (dollars[:, None] * LIST_PRICE_FACTOR[None, :] + 50) // 100
    months = np.unique(month_number(np.arange(calendar.first_day, calendar.last_day + 1)))
    walk = np.cumsum(rng.normal(0, 0.012, (2, len(months))), axis=1)
    euro, pound = (
        np.round(base * np.exp(walk[row]) * RATE_SCALE).astype(np.int64) for row, base in enumerate((0.92, 0.79))
    )
    rates = np.stack([np.full(len(months), RATE_SCALE), euro, pound])
    return Market(list_prices, months, rates, _draw_campaigns(size, rng), _season(size, calendar))


def _draw_campaigns(size: Size, rng: np.random.Generator) -> list[Campaign]:
    start, end = day_number(size.start), day_number(size.clock_day) + size.days_ahead
    campaigns = []
    kinds = [SOURCES.index(name) for name in ("Paid Search", "Trade Show", "Web", "Social Selling", "Partner")]
    scale = size.leads * size.regions / max((day_number(size.clock_day) - start) / 30.4, 1)
    day, number = start, 0
    while day < end:
        source = kinds[number % len(kinds)]
        length = int(rng.integers(3, 6)) if SOURCES[source] == "Trade Show" else int(rng.integers(45, 120))
        days = np.unique(np.concatenate([[day], np.arange(day + 30, day + length, 30)])).astype(int)
        budget = round(float(scale * rng.uniform(40, 110)) * len(days) / 100) * 10_000
        costs = [(int(d), int(budget * rng.uniform(0.85, 1.12) / len(days))) for d in days]
        campaigns.append(
            Campaign(
                f"{SOURCES[source]} {to_date(day):%Y-%m}",
                source,
                day,
                day + length,
                budget,
                float(rng.normal(0, 0.2)),
                costs,
            )
        )
        number += 1
        day += int(rng.integers(12, 34))
    return campaigns


def _season(size: Size, calendar: BusinessCalendar) -> Floats:
    """New leads by day: slow summer and year-end, busy spring and autumn, some growth."""
    days = np.arange(calendar.first_day, calendar.last_day + 1)
    by_month = np.array([0.95, 1.05, 1.12, 1.08, 1.04, 0.98, 0.82, 0.8, 1.1, 1.15, 1.05, 0.78])
    growth = np.exp(0.12 * (days - calendar.first_day) / 365)
    inside = (days >= day_number(size.start)) & (days <= day_number(size.clock_day) + size.days_ahead)
    return by_month[month_number(days) % 12] * growth * inside


def campaign_of(market: Market, rng: np.random.Generator, source: Ints, day: Ints) -> Ints:
    """Draw each lead's campaign: one of its source that ran in recent weeks, or -1."""
    result = np.full(len(source), -1, dtype=np.int64)
    for number, campaign in enumerate(market.campaigns):
        tail = 21 if SOURCES[campaign.source] == "Trade Show" else 7
        fits = (source == campaign.source) & (day >= campaign.first_day) & (day <= campaign.last_day + tail)
        result[fits & (rng.random(len(source)) < 0.7)] = number
    return result


def opening_hour(calendar: BusinessCalendar, day: int, hour: float = 6.0) -> int:
    """The instant of a New York hour on a day."""
    return int(calendar.at(np.array([day]), np.array([int(hour * HOUR)]))[0])


SOURCE_EFFECT = np.array([-0.55, -0.95, -0.25, 0.25, 0.0, 1.25, 0.45, 0.75])
"""Effect of each source on the log odds that a lead qualifies."""
SOURCE_SHARE = {
    0: dict(zip(OUTBOUND_SOURCES, (0.5, 0.3, 0.2), strict=True)),
    1: dict(zip(INBOUND_SOURCES, (0.38, 0.27, 0.11, 0.14, 0.10), strict=True)),
}
"""Share of each source among outbound (0) and inbound (1) leads."""
