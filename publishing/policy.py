"""How a set is published: what stays in clear, with which key the rest is hashed, and who may read it."""

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
    """What settings and key say of publishing.

    Attributes:
        masker: Hashes what is not published in clear.
        in_clear: Marked columns that are published as they are, as `mart.column`.
        group: Id of the group that may read the general part; None for the owner alone.
    """

    masker: Masker
    in_clear: frozenset[str] = frozenset()
    group: int | None = None

    @property
    def identity(self) -> str:
        """Changes whenever a set of the same marts would come out otherwise."""
        return f"{self.masker.key_id}:{self.masker.region}:{self.group}:{','.join(sorted(self.in_clear))}"


def make_policy(settings: Settings, marts: Marts) -> PublishPolicy:
    """Read the policy out of the settings; makes the home's key where there is none yet.

    Raises:
        SettingsError: A setting names a column, a group or a region that there is not.
        StorageError: The key cannot be read or written.
    """
    in_clear, group = _find_columns(settings.publish_pii, marts), find_group(settings.publish_group)
    return PublishPolicy(
        Masker(read_key(settings.home_folder, create=True), settings.telephony_region), in_clear, group
    )


def mask_value(settings: Settings, value: str) -> str:
    """The hash that stands in the published set for a value.

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
