"""`salesops doctor`: one line per thing that a run relies on."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console

from storage.errors import SalesopsError
from storage.settings import Settings


def examine(settings: Settings) -> int:
    """Try each thing, print what is wrong with it, and return the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    failures = 0
    for what, check in _checks(settings):
        try:
            console.print(f"[green]ok[/]    {what}: {check()}")
        except SalesopsError as error:
            failures += 1
            console.print(f"[red]wrong[/] {what}: {error}".replace("\n", "\n      "))
    return 1 if failures else 0


def _checks(settings: Settings) -> list[tuple[str, Callable[[], str]]]:
    checks: list[tuple[str, Callable[[], str]]] = [
        ("home folder", lambda: _check_home(settings)),
        ("lake", lambda: _check_lake(settings)),
        ("settings in config/", lambda: _check_config(settings)),
    ]
    if not settings.has_source:
        checks.append(("sources", lambda: "none configured: runs play the simulated company"))
    if settings.mapping:
        checks.append(("mapping file", lambda: _check_mapping(settings)))
    if settings.salesforce_login_url:
        checks.append(("Salesforce sign-in", lambda: _check_salesforce(settings)))
    if settings.mail_accounts:
        checks.append(("mail sign-in", lambda: _check_mail(settings)))
    return checks


def _check_home(settings: Settings) -> str:
    settings.home_folder.prepare()
    return str(settings.home_folder.root)


def _check_lake(settings: Settings) -> str:
    from storage.lake import open_lake

    lake = open_lake(settings)
    return f"{len(lake.tables())} tables in {lake.root}"


def _check_config(settings: Settings) -> str:
    from ingestion.settings import read_company_settings

    read_company_settings(settings.config_dir)
    return str(settings.config_dir)


def _check_mapping(settings: Settings) -> str:
    from ingestion.files import load_mapping

    assert settings.mapping is not None  # only called where it is set
    load_mapping(settings.mapping)
    return str(settings.mapping)


def _check_salesforce(settings: Settings) -> str:
    from ingestion.salesforce import connect_salesforce

    connect_salesforce(settings)
    return str(settings.salesforce_login_url)


def _check_mail(settings: Settings) -> str:
    from ingestion.email import check_mail_accounts

    mailboxes, folders = check_mail_accounts(settings)
    return f"{mailboxes} mailboxes, {folders} folders to read"
