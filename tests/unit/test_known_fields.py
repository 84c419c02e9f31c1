"""The names that we have for custom fields: the settings and the dbt project know the same."""

from __future__ import annotations

import json
import re

from ingestion.settings.models import KNOWN_FIELDS
from storage.settings import PROJECT_ROOT


def test_the_macro_knows_the_fields_that_the_settings_know() -> None:
    source = (PROJECT_ROOT / "dbt_project" / "macros" / "custom_fields.sql").read_text(encoding="utf-8")
    found = re.search(r"return\((\{.*?\})\[object_name\]\)", source, re.DOTALL)
    assert found
    known = {
        name: {field["column"]: field["type"] for field in fields} for name, fields in json.loads(found[1]).items()
    }
    assert known == {name: dict(fields) for name, fields in KNOWN_FIELDS.items()}
