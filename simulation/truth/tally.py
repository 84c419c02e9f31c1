"""Count the events that are visible at an instant."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from simulation.errors import SimulationError

_EVENTS = ("place", "rate", "lead", "deal_state", "call", "mail", "meeting_state", "invoice", "payment")

_TALLY = """
with deals as (
    select * from deal_state where visible_from <= $as_of
    qualify row_number() over (partition by deal order by happened_at desc) = 1
),
meetings as (
    select * from meeting_state where visible_from <= $as_of
    qualify row_number() over (partition by meeting order by happened_at desc) = 1
),
money as (
    select 'bookings' as metric, closer as rep, close_day as day, cents, currency from deals where is_won and not is_deleted
    union all
    select 'invoiced', rep, day, cents, currency from invoice where visible_from <= $as_of
    union all
    select 'collected', rep, day, cents, currency from payment where visible_from <= $as_of
),
dollars as (
    select money.metric, money.rep, money.day, (2 * money.cents::hugeint * 1000000 + rate.millionths) // (2 * rate.millionths) as hundredths
    from money left join rate on rate.currency = money.currency and rate.month = date_trunc('month', money.day)::date
),
events as (
    select metric, rep, day, hundredths from dollars
    union all
    select 'leads_generated', rep, day, 100 from lead where visible_from <= $as_of and gone_from > $as_of
    union all
    select 'deals_created', opener, created_day, 100 from deals where not is_deleted
    union all
    select 'deals_closed', closer, close_day, 100 from deals where is_won and not is_deleted
    union all
    select 'deals_lost', closer, close_day, 100 from deals where is_lost and not is_deleted
    union all
    select 'calls_placed', rep, day, 100 from call where visible_from <= $as_of and is_placed
    union all
    select 'calls_connected', rep, day, 100 from call where visible_from <= $as_of and is_placed and is_answered
    union all
    select 'phone_seconds', rep, day, 100 * seconds from call where visible_from <= $as_of
    union all
    select 'emails_sent', rep, day, 100 from mail where visible_from <= $as_of
    union all
    select 'meetings_held', rep, day, 100 from meetings where not is_off and ends_at <= $as_of
    union all
    select 'opportunity_cycle_days', closer, close_day, 100 * (close_day - created_day) from deals where is_won and not is_deleted
),
known_places as (select rep as placed_rep, day as since, team, territory from place where known_at <= $as_of),
placed as (
    select events.*, known_places.team, known_places.territory
    from events asof left join known_places on events.rep = known_places.placed_rep and events.day >= known_places.since
),
by_entity as (
    select 'company' as entity_type, 'company' as entity_id, metric, day, hundredths from placed
    union all
    select 'rep', rep, metric, day, hundredths from placed where rep is not null
    union all
    select 'team', team, metric, day, hundredths from placed where team is not null
    union all
    select 'territory', territory, metric, day, hundredths from placed where territory is not null
),
by_month as (select *, date_trunc('month', day)::date as period_start from by_entity),
sums as (
    select entity_type, entity_id, period_start, metric, sum(hundredths)::decimal(28, 0) as hundredths
    from by_month where metric <> 'opportunity_cycle_days' group by all
    union all
    select entity_type, entity_id, period_start, 'opportunity_cycle_days_mean', round(avg(hundredths))::decimal(28, 0)
    from by_month where metric = 'opportunity_cycle_days' group by all
    union all
    select entity_type, entity_id, period_start, 'opportunity_cycle_days_median', round(median(hundredths))::decimal(28, 0)
    from by_month where metric = 'opportunity_cycle_days' group by all
)
select entity_type, entity_id, 'month' as period_grain, period_start, metric, (hundredths * 0.01::decimal(3, 2))::decimal(28, 2) as value
from sums order by all
"""


def tally(simulation_dir: Path, as_of: datetime) -> pa.Table:
    """Count what had happened, and was visible, at an instant.

    Args:
        simulation_dir: The folder of the simulated company.
        as_of: The instant (aware; a naive one is taken as UTC).

    Returns:
        One row per entity_type ('company', 'rep', 'team', 'territory'), entity_id ('company', user id, team name,
        territory name), month and metric with events: entity_type, entity_id, period_grain ('month'), period_start,
        metric, value decimal(28, 2).

    Raises:
        SimulationError: There is no company in the folder.
    """
    folder = Path(simulation_dir) / "truth"
    if not (folder / "lead.parquet").exists():
        raise SimulationError(
            "There is no simulated company here.",
            where=str(simulation_dir),
            fix="Make one with `simulation.company.create_company`.",
        )
    moment = as_of.astimezone(UTC).replace(tzinfo=None) if as_of.tzinfo else as_of
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        for name in _EVENTS:
            path = str(folder / f"{name}.parquet").replace("'", "''")
            connection.execute(f"create view {name} as select * from read_parquet('{path}')")
        return connection.sql(_TALLY, params={"as_of": moment}).to_arrow_table()
