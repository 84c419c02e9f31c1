"""The process that `start_fault_servers` starts: the sources of `simulation.servers`, each behind its faults."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette

from simulation.servers.oauth import ConnectedApp
from simulation.servers.process import Apps, serve
from simulation.servers.request_size import RequestSizeMiddleware
from simulation.servers.salesforce_app import SalesforceService, make_salesforce_app
from simulation.servers.telephony_app import Account, make_telephony_app
from tests.support.fault_servers.changeable_company import ChangeableCompany
from tests.support.fault_servers.effects import Effects
from tests.support.fault_servers.middleware import FaultMiddleware, Journal
from tests.support.fault_servers.routes import fault_routes
from tests.support.fault_servers.salesforce_effects import SalesforceEffects
from tests.support.fault_servers.salesforce_routes import salesforce_routes


def make_fault_apps(simulation_dir: Path, app: ConnectedApp, salesforce_url: str, account: Account) -> Apps:
    """The sources behind their faults."""
    company = ChangeableCompany(simulation_dir)
    service = SalesforceService(company, app, salesforce_url)
    effects, journal = SalesforceEffects(service, company), Journal()
    routes = Starlette(routes=[*fault_routes(journal, effects), *salesforce_routes(service, company)])
    salesforce = FaultMiddleware(make_salesforce_app(service), routes, journal, effects)
    no_effects, call_journal = Effects(), Journal()
    call_routes = Starlette(routes=[*fault_routes(call_journal, no_effects)])
    telephony = FaultMiddleware(make_telephony_app(company, account), call_routes, call_journal, no_effects)
    # A request that the front end refuses meets no fault and stands in no journal.
    return Apps(RequestSizeMiddleware(salesforce), telephony)


if __name__ == "__main__":
    serve(make_fault_apps)
