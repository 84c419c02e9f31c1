"""How a set is published: which columns stay in clear, the key that hashes the rest, and who may read it."""

from __future__ import annotations

from dataclasses import dataclass

from publishing.access import find_group
from publishing.marts import Marts, list_pii
from publishing.masking import Masker, read_key
from storage.errors import SettingsError
from storage.home import Home
from storage.settings import Settings


@dataclass(frozen=True)
class PublishPolicy:
    """The publishing policy from settings and key.

    Attributes:
        masker: Hashes what is not published in clear.
        in_clear: Marked columns that are published as they are, as `mart.column`.
        group: Id of the group that may read the general part; None for the owner only.
    """

    masker: Masker
    in_clear: frozenset[str] = frozenset()
    group: int | None = None

    @property
    def identity(self) -> str:
        """Changes whenever the same marts would be published differently."""
        return f"{self.masker.key_id}:{self.masker.region}:{self.group}:{','.join(sorted(self.in_clear))}"


def make_policy(settings: Settings, marts: Marts) -> PublishPolicy:
    """Read the policy from the settings; creates the home's key if there is none.

    Raises:
        SettingsError: A setting names an unknown column, group or region.
        StorageError: The key cannot be read or written.
    """
    in_clear, group = _find_columns(settings.publish_pii, marts), find_group(settings.publish_group)
    return PublishPolicy(
        Masker(read_key(settings.home_folder, create=True), settings.telephony_region), in_clear, group
    )


def mask_value(settings: Settings, value: str) -> str:
    """The hash that replaces a value in the published set.

    Raises:
        StorageError: The home has no key yet.
    """
    home: Home = settings.home_folder
    return Masker(read_key(home, create=False), settings.telephony_region).mask(value)


def _find_columns(text: str, marts: Marts) -> frozenset[str]:
    known = list_pii(marts)
    found: set[str] = set()
    for name in filter(None, (part.strip() for part in text.split(","))):
        meant = [column for column in known if column == name or (name.endswith(".*") and column.startswith(name[:-1]))]
        if not meant:
            raise SettingsError(
                f"SALESOPS_PUBLISH_PII names '{name}', which is not a column marked as personal data.",
                where="environment or .env",
                fix=f"Name some of these, or all of a mart as mart.*: {', '.join(known)}.",
            )
        found.update(meant)
    return frozenset(found)
