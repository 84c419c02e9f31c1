"""The accounts file: what it may say, and the error when it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.sources.mail.accounts import Account, read_accounts
from ingestion.sources.settings import load_settings
from storage.errors import SettingsError
from storage.operator_files import OperatorFileError

MICROSOFT = """
accounts:
  - name: sales
    host: outlook.office365.com
    sign_in: xoauth2
    oauth:
      token_url: https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token
      grant: client_credentials
      client_id: app
      scope: https://outlook.office365.com/.default
    mailboxes: [Jane@Acme.example, bob@acme.example]
  - name: partners
    host: imap.partner.example
    security: starttls
    login: "{mailbox}*reader"
    folders: [INBOX, Deals, "\\\\Sent"]
    mailboxes:
      - address: al@partner.example
      - {address: bo@partner.example, login: bo, secret: bo_own}
"""


def read(folder: Path, text: str) -> tuple[Account, ...]:
    path = folder / "mail.yml"
    path.write_text(text)
    return read_accounts(path)


def test_accounts_share_what_their_mailboxes_do_not_say_themselves(tmp_path: Path) -> None:
    sales, partners = read(tmp_path, MICROSOFT)
    assert [mailbox.address for mailbox in sales.mailboxes] == ["jane@acme.example", "bob@acme.example"]
    assert (sales.server_port, sales.folders, sales.user_name(sales.mailboxes[0])) == (
        993,
        ("INBOX", "\\Sent"),
        "jane@acme.example",
    )
    assert (partners.server_port, partners.folders) == (143, ("INBOX", "Deals", "\\Sent"))
    assert [partners.user_name(mailbox) for mailbox in partners.mailboxes] == ["al@partner.example*reader", "bo"]
    assert [partners.secret_name(mailbox) for mailbox in partners.mailboxes] == ["partners", "bo_own"]


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("name: sales", "name: Sales Team", "line 3, accounts[0].name"),
        ("    sign_in: xoauth2\n", "", "give oauth with sign_in: xoauth2"),
        ("security: starttls", "security: none", "loopback only"),
        ("security: starttls", "security: ssl", "accounts[1].security"),
        ("token_url: https:", "token_url: http:", "token_url must be https"),
        ("bob@acme.example", "jane@ACME.example", "a mailbox occurs twice"),
        ("name: partners", "name: sales", "two accounts have the same name"),
        (
            "host: imap.partner.example",
            "host: imap.partner.example\n    password: secret",
            "The field password is not known here.",
        ),
        ("[Jane@Acme.example, bob@acme.example]", "[]", "accounts[0].mailboxes"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, before: str, after: str, complaint: str) -> None:
    assert before in MICROSOFT
    with pytest.raises(OperatorFileError) as caught:
        read(tmp_path, MICROSOFT.replace(before, after))
    assert complaint in str(caught.value)
    assert "mail.yml" in caught.value.where


def test_secrets_come_from_variables_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SALESOPS_MAIL_SECRETS__BO_OWN=from-the-file\n")
    monkeypatch.setenv("SALESOPS_MAIL_SECRETS__SALES", "from-the-environment")
    settings = load_settings(_env_file=tmp_path / ".env")
    assert {name: secret.get_secret_value() for name, secret in settings.mail_secrets.items()} == {
        "bo_own": "from-the-file",
        "sales": "from-the-environment",
    }
    assert "from-the" not in repr(settings)


def test_a_list_of_secrets_that_is_no_json_is_reported_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESOPS_MAIL_SECRETS", "hunter2")
    with pytest.raises(SettingsError) as caught:
        load_settings(_env_file=None)
    assert "mail_secrets" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["mail_accounts", "mail_exports", "maildir"])
def test_mail_alone_is_a_source(tmp_path: Path, name: str) -> None:
    assert not load_settings(_env_file=None).has_source
    assert load_settings(_env_file=None, **{name: tmp_path}).has_source
