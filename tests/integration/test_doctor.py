"""`salesops doctor`: what it finds wrong, and that it leaves everything as it was."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.doctor import LEAST_FREE_BYTES
from ingestion.errors import TelephonySignInError, TelephonyUnreachable
from ingestion.sources.calls.providers import PROVIDERS
from ingestion.sources.settings import load_settings
from simulation.company import create_company
from simulation.delivery import deliver
from simulation.servers import start_servers
from storage.home import Home
from storage.settings import PROJECT_ROOT
from tests.call_servers import make_aircall, make_ringcentral, serve
from tests.command_line import Command, Done, list_tree, make_command

Prepare = Callable[[Path], str]


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in a folder of one's own, of which `prepare` says what stands in `.env`."""
    command = make_command(monkeypatch, capsys)
    monkeypatch.delenv("SALESOPS_ENV_FILE")
    shutil.copytree(PROJECT_ROOT / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)

    def examine(settings: str, *options: str) -> Done:
        (tmp_path / ".env").write_text(f"SALESOPS_CONFIG_DIR=config\n{settings}\n")
        before = list_tree(tmp_path)
        done = command("doctor", *options)
        if "--repair" not in options:
            assert list_tree(tmp_path) == before
        return done

    return examine


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def simulated(folder: Path) -> str:
    return "SALESOPS_SIMULATE=true"


def feeds_without_folder(folder: Path) -> str:
    return "SALESOPS_FEEDS_DIR=feeds"


def drops_without_folder(folder: Path) -> str:
    return "SALESOPS_DROP_DIR=incoming"


def maildir_without_mailboxes(folder: Path) -> str:
    (folder / "mail").mkdir()
    return "SALESOPS_MAILDIR=mail"


def exports_without_mail(folder: Path) -> str:
    (folder / "exports").mkdir()
    (folder / "exports" / "notes.txt").touch()
    return "SALESOPS_MAIL_EXPORTS=exports"


def accounts_without_file(folder: Path) -> str:
    return "SALESOPS_MAIL_ACCOUNTS=mail.yml"


def mapping_without_file(folder: Path) -> str:
    return "SALESOPS_MAPPING=mine.yml\nSALESOPS_FILES=."


def mapping_without_files(folder: Path) -> str:
    return "SALESOPS_MAPPING=config/mappings/maven_crm.yml"


def mapping_with_a_missing_export(folder: Path) -> str:
    return "SALESOPS_MAPPING=config/mappings/maven_crm.yml\nSALESOPS_FILES=export"


def key_without_file(folder: Path) -> str:
    return "SALESOPS_SIMULATE=true\nSALESOPS_SALESFORCE_PRIVATE_KEY_FILE=key.pem"


def certificates_that_are_none(folder: Path) -> str:
    (folder / "ca.pem").write_text("nothing of the kind")
    return "SALESOPS_SIMULATE=true\nSALESOPS_MAIL_CA_FILE=ca.pem"


def salesforce_without_credentials(folder: Path) -> str:
    return "SALESOPS_SALESFORCE_LOGIN_URL=https://127.0.0.1:1"


def twilio_that_is_away(folder: Path) -> str:
    return f"SALESOPS_TELEPHONY_URL=http://127.0.0.1:{unused_port()}\nSALESOPS_TELEPHONY_ACCOUNT_SID=AC1\nSALESOPS_TELEPHONY_AUTH_TOKEN=t"


def aircall_without_key(folder: Path) -> str:
    return "SALESOPS_AIRCALL_URL=https://127.0.0.1:1"


def a_setting_with_a_typing_error(folder: Path) -> str:
    return "SALESOPS_SIMULATE=true\nSALESOPS_FEED_DIR=feeds"


def a_plan_that_is_wrong(folder: Path) -> str:
    plan = folder / "config" / "plans" / "account_executive.yml"
    plan.write_text(plan.read_text().replace("effective_from:", "effective_form:", 1))
    return "SALESOPS_SIMULATE=true"


def a_board_that_is_no_yaml(folder: Path) -> str:
    (folder / "config" / "boards" / "mine.yml").write_text("id: mine\n  metric: [\n")
    return "SALESOPS_SIMULATE=true"


def a_configuration_with_a_gap(folder: Path) -> str:
    (folder / "config" / "stages.yml").unlink()
    return "SALESOPS_SIMULATE=true"


def a_wrong_salesforce_file(folder: Path) -> str:
    (folder / "config" / "salesforce.yml").write_text("objekts: [Case]\n")
    return "SALESOPS_SIMULATE=true"


def a_home_in_a_files_place(folder: Path) -> str:
    (folder / "data").write_text("in the way")
    return "SALESOPS_SIMULATE=true"


def a_home_of_another_company(folder: Path) -> str:
    Home(folder / "data").claim("sources")
    return "SALESOPS_SIMULATE=true"


def no_source(folder: Path) -> str:
    return ""


def an_origin_that_was_cut_off(folder: Path) -> str:
    (folder / "data").mkdir()
    (folder / "data" / "origin.json").write_text('{"ori')
    return "SALESOPS_SIMULATE=true"


@pytest.mark.parametrize(
    ("prepare", "title", "said"),
    [
        (feeds_without_folder, "feeds folder", "SALESOPS_FEEDS_DIR"),
        (drops_without_folder, "drop folder", "SALESOPS_DROP_DIR"),
        (maildir_without_mailboxes, "Maildir", "SALESOPS_MAILDIR"),
        (exports_without_mail, "mail exports", "SALESOPS_MAIL_EXPORTS"),
        (accounts_without_file, "mail sign-in", "mail.yml"),
        (mapping_without_file, "mapping file", "mine.yml"),
        (mapping_without_files, "files of the mapping", "SALESOPS_FILES"),
        (mapping_with_a_missing_export, "files of the mapping", "export"),
        (key_without_file, "private key of Salesforce", "key.pem"),
        (certificates_that_are_none, "certificates mail_ca_file", "ca.pem"),
        (salesforce_without_credentials, "Salesforce sign-in", "SALESOPS_SALESFORCE_CLIENT_ID"),
        (twilio_that_is_away, "Twilio sign-in", "SALESOPS_TELEPHONY_URL"),
        (aircall_without_key, "Aircall sign-in", "SALESOPS_AIRCALL_API_ID"),
        (a_setting_with_a_typing_error, "settings file", "SALESOPS_FEED_DIR"),
        (a_plan_that_is_wrong, "plans", "account_executive.yml, line"),
        (a_board_that_is_no_yaml, "boards", "mine.yml, line 2"),
        (a_configuration_with_a_gap, "configuration", "lacks stages.yml"),
        (a_wrong_salesforce_file, "configuration", "salesforce.yml"),
        (a_home_in_a_files_place, "home folder", "A file stands"),
        (a_home_of_another_company, "sources", "'sources'"),
        (no_source, "sources", "--simulate"),
        (an_origin_that_was_cut_off, "whose data the home holds", "doctor --repair"),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_what_is_wrong_is_found_and_nothing_is_changed(
    doctor: Command, tmp_path: Path, prepare: Prepare, title: str, said: str
) -> None:
    done = doctor(prepare(tmp_path))
    assert done.code == 1, done.out
    (finding,) = [part for part in done.out.split("wrong ") if part.startswith(f"{title}:")]
    assert said in finding.partition(" ok ")[0], finding
    assert "Traceback" not in done.out + done.error


def test_what_is_right_is_right_before_and_after_the_first_run_claims_the_home(doctor: Command, tmp_path: Path) -> None:
    first = doctor(simulated(tmp_path))
    assert first.code == 0, first.out
    assert (
        f"Settings: {tmp_path}/.env · config: {tmp_path}/config Home: {tmp_path}/data · sources: simulated company (small, seed 7)"
        in first.out
    )
    assert "the first run makes it" in first.out and not (tmp_path / "data").exists()
    Home(tmp_path / "data").claim("simulation:tiny:9")
    then = doctor("")
    assert then.code == 0, then.out
    assert "simulated company (tiny, seed 9)" in then.out


def test_sources_that_are_there_are_right(doctor: Command, tmp_path: Path) -> None:
    for folder in (
        "feeds/incoming",
        "mail/jane@acme.example/cur",
        "mail/jane@acme.example/new",
        "exports/bob@acme.example",
    ):
        (tmp_path / folder).mkdir(parents=True)
    done = doctor("SALESOPS_FEEDS_DIR=feeds\nSALESOPS_MAILDIR=mail\nSALESOPS_MAIL_EXPORTS=exports")
    assert done.code == 0, done.out
    assert "sources: Maildir, mail exports, feeds" in done.out
    assert f"drop folder: {tmp_path}/feeds/incoming" in done.out and "1 mailboxes" in done.out


def test_a_disk_without_room_and_a_home_that_cannot_be_written_are_wrong(
    doctor: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(
            "cli.doctor.shutil.disk_usage", lambda folder: shutil._ntuple_diskusage(10**9, 10**9, LEAST_FREE_BYTES - 1)
        )
        assert "MB left" in doctor("SALESOPS_SIMULATE=true").out
    with monkeypatch.context() as patched:
        patched.setattr("cli.doctor.os.access", lambda path, mode: False)
        done = doctor("SALESOPS_SIMULATE=true")
    assert done.code == 1 and "wrong home folder: The home folder cannot be written." in done.out


def test_a_check_that_breaks_down_is_a_finding_and_the_others_go_on(
    doctor: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(path: Path) -> None:
        raise RuntimeError("out of the blue")

    monkeypatch.setattr("ingestion.settings.read_company_settings", break_down)
    done = doctor("SALESOPS_SIMULATE=true")
    assert (
        done.code == 1 and "wrong configuration: RuntimeError: out of the blue" in done.out and "ok plans:" in done.out
    )


def test_repair_mends_the_origin_from_the_simulated_company(doctor: Command, tmp_path: Path) -> None:
    create_company(tmp_path / "data" / "simulation", "tiny", 9)
    origin = tmp_path / "data" / "origin.json"
    origin.write_text("{")
    assert doctor("").code == 1
    mended = doctor("", "--repair")
    assert mended.code == 0, mended.out
    assert "mended whose data the home holds: it holds the data of: simulated company (tiny, seed 9)" in mended.out
    assert Home(tmp_path / "data").read_origin() == "simulation:tiny:9"
    assert "mended" not in doctor("", "--repair").out


def test_repair_does_not_touch_what_it_cannot_know(doctor: Command, tmp_path: Path) -> None:
    Home(tmp_path / "data").claim("sources")
    before = list_tree(tmp_path / "data")
    done = doctor("SALESOPS_SIMULATE=true", "--repair")
    assert done.code == 1 and "'sources'" in done.out
    assert list_tree(tmp_path / "data") == before


def test_servers_are_signed_in_to_and_secrets_are_not_printed(doctor: Command, tmp_path: Path) -> None:
    company = create_company(tmp_path / "company", "tiny", 7)
    deliver(tmp_path / "company", company.now)
    with start_servers(tmp_path / "company") as served:
        settings = {
            "SALESFORCE_LOGIN_URL": served.salesforce_login_url,
            "SALESFORCE_CLIENT_ID": served.salesforce_client_id,
            "SALESFORCE_CLIENT_SECRET": served.salesforce_client_secret,
            "SALESFORCE_CA_FILE": served.ca_file,
            "TELEPHONY_URL": served.telephony_url,
            "TELEPHONY_ACCOUNT_SID": served.telephony_account_sid,
            "TELEPHONY_AUTH_TOKEN": served.telephony_auth_token,
            "TELEPHONY_CA_FILE": served.ca_file,
        }

        def lines(**changed: str) -> str:
            return "\n".join(f"SALESOPS_{name}={value}" for name, value in (settings | changed).items())

        right = doctor(lines())
        wrong = doctor(lines(SALESFORCE_CLIENT_SECRET="wrong-one", TELEPHONY_AUTH_TOKEN="wrong-two"))
    assert right.code == 0, right.out
    assert (
        f"Salesforce sign-in: {served.salesforce_login_url}" in right.out
        and f"Twilio sign-in: {served.telephony_url}" in right.out
    )
    assert wrong.code == 1 and wrong.out.count("wrong ") == 2
    assert "SALESOPS_SALESFORCE_CLIENT_SECRET" in wrong.out and "SALESOPS_TELEPHONY_AUTH_TOKEN" in wrong.out
    for secret in (served.salesforce_client_secret, served.telephony_auth_token, "wrong-one", "wrong-two"):
        assert secret not in right.out + wrong.out


@pytest.mark.parametrize("name", ["Aircall", "RingCentral"])
def test_a_call_log_is_asked_for_one_call(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.sources.http_session.LONGEST_WAIT_SECONDS", 0.05)
    (provider,) = [one for one in PROVIDERS if one.name == name]
    credentials = {
        "Aircall": {"aircall_api_id": "id", "aircall_api_token": "token"},
        "RingCentral": {
            "ringcentral_client_id": "id",
            "ringcentral_client_secret": "secret",
            "ringcentral_jwt": "token",
        },
    }[name]
    with serve(
        lambda served: (
            make_aircall(served, [], "id", "token")
            if name == "Aircall"
            else make_ringcentral(served, [], ("id", "secret"), "token", tells_total=True)
        )
    ) as served:
        settings = load_settings(_env_file=None, **{provider.url_field: served.url}, **credentials)
        assert provider.check(settings) == served.url
        wrong = settings.model_copy(update={list(credentials)[-1]: SecretStr("revoked")})
        with pytest.raises(TelephonySignInError):
            provider.check(wrong)
    with pytest.raises(TelephonyUnreachable):
        provider.check(settings)


def test_doctor_reports_a_settings_file_that_is_missing(
    doctor: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESOPS_ENV_FILE", str(tmp_path / "gone"))
    done = doctor("")
    assert done.code == 1 and str(tmp_path / "gone") in done.error
