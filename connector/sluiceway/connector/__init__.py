"""Where the jars for Flink are.

Invariant: this package imports nothing of Sluiceway's and nothing but the standard library; it is
the only place that knows how a jar is named. `python -m sluiceway.connector.build` makes them.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["jar_path", "sync_jar_path"]

_JARS = Path(__file__).parent / "jars"


def jar_path() -> Path:
    """Return the jar with catalog, source, sink and look-up; FileNotFoundError if there is none."""
    return _jar("sluiceway-flink-connector")


def sync_jar_path() -> Path:
    """Return the jar that syncs a whole database; FileNotFoundError if there is none."""
    return _jar("sluiceway-flink-sync")


def _jar(artifact: str) -> Path:
    found = sorted(_JARS.glob(f"{artifact}-*.jar"))
    if not found:
        raise FileNotFoundError(
            f"{artifact} has not been built: run `python -m sluiceway.connector.build`"
        )
    return found[-1]
