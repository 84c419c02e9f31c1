"""How components pay: one file per kind, with its fields, its plan table rows, its warnings and its explanation.

What does not belong here: what all components share (`components.py`), tier tables, which several kinds use
(`tiers.py`), and the calculation, which is SQL (`dbt_project/models/incentives`). A new kind needs a file here, an
entry below, its SQL, its oracle and its paragraph in `docs/commission-plans.md`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from incentives.components import Component
from incentives.errors import IncentivesError
from incentives.mechanics.flat import FlatComponent
from incentives.mechanics.marginal_tiers import MarginalTiersComponent
from storage.operator_files import refuse

# By the plan file's `kind`.
MECHANICS: dict[str, type[Component]] = {"flat": FlatComponent, "marginal_tiers": MarginalTiersComponent}


def _check_kind(component: Any) -> Any:
    if isinstance(component, dict) and "kind" not in component:
        refuse("The field kind is missing.", f"Add one of: {', '.join(f'kind: {kind}' for kind in MECHANICS)}.")
    return component


AnyComponent = Annotated[
    FlatComponent | MarginalTiersComponent, Field(discriminator="kind"), BeforeValidator(_check_kind)
]


def find_mechanic(kind: str) -> type[Component]:
    """The mechanic of a component kind.

    Raises:
        IncentivesError: This version does not know the kind.
    """
    if kind not in MECHANICS:
        fix = f"This version knows {', '.join(MECHANICS)}; read what a later version published with that version."
        raise IncentivesError(f"The component kind '{kind}' is not known.", where="component_kind", fix=fix)
    return MECHANICS[kind]
