"""Assets by layer, in flow order: landing (lake), snapshot, warehouse, predictions, published.

What belongs here: thin assets, one module per layer. What does not: the work itself.
These modules evaluate annotations eagerly (no `from __future__ import annotations`): Dagster checks the context's type
at decoration.
"""
