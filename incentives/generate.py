"""The files generated from this package: JSON schemas for editors, and the SQL macro of currency exponents.

`make generate` writes them; a test fails if one is out of date.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from incentives.boards import board_json_schema
from incentives.currencies import write_exponent_macro
from incentives.plans import plan_json_schema
from storage.generated_files import run_generator


def generated_files() -> dict[Path, str]:
    """Path below the project root → text, of every generated file."""
    return {
        Path("config/plans/schema/plan.schema.json"): _dump(plan_json_schema()),
        Path("config/boards/schema/board.schema.json"): _dump(board_json_schema()),
        Path("dbt_project/macros/incentives_currencies.sql"): write_exponent_macro(),
    }


def _dump(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    run_generator(generated_files())
