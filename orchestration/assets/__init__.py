"""Assets by layer, in the order of the flow: landing (lake), snapshot, warehouse, predictions, published.

What belongs here: thin assets, one module per layer. What does not: the work itself.
These modules evaluate their annotations at once (no `from __future__ import annotations`): Dagster checks the context's type when it decorates.
"""
