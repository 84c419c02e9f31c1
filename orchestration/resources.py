"""The platform a run works on: settings, home, lake and sources, as plain objects.

What belongs here: opening and closing what lives as long as a run. What does not: what assets do with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import PrivateAttr, SecretStr

from ingestion.sources.salesforce.windows import Backfill
from ingestion.sources.settings import PlatformSettings, load_settings
from storage.home import Home
from storage.lake import Lake, open_lake
from storage.origin import enter_home

if TYPE_CHECKING:
    from simulation.company import Company

AS_OF_TAG = "salesops/as_of"
ONLY_FROM_LAKE_TAG = "salesops/only_from_lake"  # the run queries no source
SINCE_TAG, UNTIL_TAG = "salesops/since", "salesops/until"  # a window of Salesforce to re-read


class Platform(dg.ConfigurableResource["Platform"]):
    """Settings, home, lake and sources of one run. `storage.origin` decides if they are the simulated company's."""

    _settings: PlatformSettings = PrivateAttr()
    _lake: Lake = PrivateAttr()
    _company: Company | None = PrivateAttr(default=None)
    _open: ExitStack = PrivateAttr()
    _sources: PlatformSettings | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Platform]:
        """Decide whose run this is, prepare the home and any simulated company, and stop its servers at the end.

        Raises:
            SalesopsError: No source is configured and no simulated company requested, or the home is another company's.
                Nothing was written.
        """
        asks_sources = context.run is None or ONLY_FROM_LAKE_TAG not in context.run.tags
        self._settings = enter_home(load_settings(), asks_sources=asks_sources)
        self._lake = open_lake(self._settings)
        self._sources = None
        if self._settings.simulate:
            from simulation.company import create_company

            self._company = create_company(
                self.home.simulation, self._settings.simulation_size, self._settings.simulation_seed
            )
        with ExitStack() as self._open:
            yield self

    @property
    def settings(self) -> PlatformSettings:
        """The settings from the environment."""
        return self._settings

    @property
    def home(self) -> Home:
        """The home folder."""
        return self._settings.home_folder

    @property
    def lake(self) -> Lake:
        """The lake."""
        return self._lake

    @property
    def is_simulated(self) -> bool:
        """Whether this run plays the simulated company."""
        return self._company is not None

    def sources(self) -> PlatformSettings:
        """The settings with the source addresses; starts the simulated company's servers on first use."""
        if self._sources is None:
            self._sources = self._start_simulated_sources() if self._company else self._settings
        return self._sources

    def as_of(self, context: dg.AssetExecutionContext | dg.OpExecutionContext) -> datetime:
        """The run's as-of instant, the same in each step.

        The simulated clock; else the run's as-of tag, its scheduled time, or its creation.
        """
        if self._company is not None:
            return self._company.now
        if tag := context.run.tags.get(AS_OF_TAG):
            return datetime.fromisoformat(tag)
        if scheduled := context.run.tags.get("dagster/scheduled_execution_time"):
            return datetime.fromisoformat(scheduled).astimezone(UTC)
        record = context.instance.get_run_record_by_id(context.run.run_id)
        return (record.create_timestamp if record else datetime.now(UTC)).replace(microsecond=0)

    def backfill(self, context: dg.AssetExecutionContext) -> Backfill | None:
        """The window of Salesforce that this run re-reads; None if it continues from the cursors."""
        since, until = context.run.tags.get(SINCE_TAG), context.run.tags.get(UNTIL_TAG)
        return (
            Backfill(datetime.fromisoformat(since), datetime.fromisoformat(until) if until else self.as_of(context))
            if since
            else None
        )

    def _start_simulated_sources(self) -> PlatformSettings:
        from simulation.delivery import deliver
        from simulation.servers import start_servers

        assert self._company is not None  # only called with a simulated company
        deliver(self.home.simulation, self._company.now)
        served = self._open.enter_context(start_servers(self.home.simulation))
        return self._settings.model_copy(
            update={
                "salesforce_login_url": served.salesforce_login_url,
                "salesforce_client_id": served.salesforce_client_id,
                "salesforce_client_secret": SecretStr(served.salesforce_client_secret),
                "salesforce_ca_file": served.ca_file,
                "telephony_url": served.telephony_url,
                "telephony_account_sid": served.telephony_account_sid,
                "telephony_auth_token": SecretStr(served.telephony_auth_token),
                "telephony_ca_file": served.ca_file,
                "maildir": served.maildir,
                "feeds_dir": served.feeds_dir,
            }
        )
