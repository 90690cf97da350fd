"""Short names for what the declarations repeat."""

from __future__ import annotations

from sluiceway.catalog.option import Alias, Effect

MAX_SHARDS = 1024
ONLY = Effect.DEFAULT_ONLY
NONE = Effect.NONE


def aliases(names: str) -> tuple[Alias, ...]:
    """Return aliases that take the same values as the option itself."""
    return tuple(Alias(name) for name in names.split())
