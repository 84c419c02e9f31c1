"""Keyed hashes in place of personal data.

What belongs here: a home's key, normalising values, and hashing them. What does not: which columns are hashed
(`policy`).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from functools import cache
from pathlib import Path

import phonenumbers

from storage.errors import SettingsError, StorageError
from storage.home import Home, sync
from storage.phone_numbers import is_region, to_e164

_KEY_BYTES = 32
_HASH_BYTES = 16
_NUMBER = re.compile(r"[0-9 +().-]+")
_E164 = re.compile(r"\+([1-9][0-9]{6,14})")


class Masker:
    """Hashes values with one key. Each distinct value is hashed once.

    Args:
        key: The secret; at least 16 bytes.
        region: ISO 3166 country for phone numbers without a country code.

    Raises:
        SettingsError: The region does not exist.
    """

    def __init__(self, key: bytes, region: str) -> None:
        if not is_region(region):
            raise SettingsError(
                f"'{region}' is not a known country code.",
                where="SALESOPS_TELEPHONY_REGION",
                fix="Give a two-letter ISO 3166 code, such as US or DE.",
            )
        self._key = key
        self.region = region
        self._hashes: dict[str, str] = {}

    @property
    def key_id(self) -> str:
        """Identifies the key without revealing it: sets with the same id have comparable hashes."""
        return hashlib.sha256(b"salesops pii key id:" + self._key).hexdigest()[:16]

    def mask(self, value: str) -> str:
        """HMAC-SHA-256 of the normalised value, 128 bits as 32 hex digits.

        An empty or blank value gives the empty text.
        """
        found = self._hashes.get(value)
        if found is None:
            normal = normalise(value, self.region)
            found = (
                hmac.digest(self._key, normal.encode("utf-8", "surrogatepass"), "sha256")[:_HASH_BYTES].hex()
                if normal
                else ""
            )
            self._hashes[value] = found
        return found


def normalise(value: str, region: str) -> str:
    """One form for all spellings of a value, so that joins on hashes match.

    Unicode NFC, spaces trimmed and collapsed, case folded; a phone number becomes E.164.

    >>> normalise("  Erika  MUSTERMANN ", "US"), normalise("(212) 555-0199", "US"), normalise("+44 20 7946 0018", "US")
    ('erika mustermann', '+12125550199', '+442079460018')
    """
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if _NUMBER.fullmatch(text):
        return text if _is_plain_e164(text) else to_e164(text, region) or text
    # Case folding can break NFC.
    return unicodedata.normalize("NFC", text.casefold())


def _is_plain_e164(text: str) -> bool:
    """Whether full parsing would leave the number unchanged; False if uncertain."""
    found = _E164.fullmatch(text)
    if not found:
        return False
    digits = found.group(1)
    for length in (1, 2, 3):
        prefix = _trunk_prefix(int(digits[:length]))
        if prefix is not None:
            # Full parsing removes a trunk prefix that was typed after the country code by mistake.
            return not prefix or not digits[length:].startswith(prefix)
    return False


@cache
def _trunk_prefix(country_code: int) -> str | None:
    """The national dialling prefix: `0`, `1` or nothing; None for codes that are unknown or have more complex rules."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(country_code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(regions[0]) if regions else None
    if metadata is None:
        return None
    prefix = metadata.national_prefix_for_parsing or ""
    return prefix if prefix in {"", "0", "1"} else None


def read_key(home: Home, *, create: bool) -> bytes:
    """The home's key.

    Args:
        home: The home folder.
        create: Create a key if there is none.

    Raises:
        StorageError: There is no key, or it cannot be read or written.
    """
    path = home.pii_key
    try:
        if create and not path.exists():
            _create_key(path)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise StorageError(
            "This home has no key to hash personal data with yet.",
            where=str(path),
            fix="The first `salesops run` makes it.",
        ) from None
    except PermissionError:
        raise StorageError(
            "Only the user who runs Salesops may read the key that personal data is hashed with.",
            where=str(path),
            fix="Ask for the hash.",
        ) from None
    except (OSError, ValueError) as error:
        raise _bad_key(path, str(error)) from None
    if len(key) != _KEY_BYTES:
        raise _bad_key(path, f"it holds {len(key)} bytes instead of {_KEY_BYTES}")
    return key


def _bad_key(path: Path, reason: str) -> StorageError:
    return StorageError(
        f"The key that personal data is hashed with cannot be read: {reason}.",
        where=str(path),
        fix="Put the file back from your backup. If it is lost, delete it: the next run makes a new key, and every hash changes.",
    )


def _create_key(path: Path) -> None:
    """Write a new key to a temporary file and hard-link it into place; the link fails if another process was faster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            return
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)
