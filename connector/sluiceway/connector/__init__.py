"""Where the jars for Flink are.

Invariant: this package imports nothing of Sluiceway's and nothing but the standard library; it is
the only place that knows how a jar is named. Of several the newest version counts. `python -m
sluiceway.connector.build` makes them.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["jar_path", "sync_jar_path"]

_JARS = Path(__file__).parent / "jars"


def jar_path(jars: Path = _JARS) -> Path:
    """Return the jar with catalog, source, sink and look-up; FileNotFoundError if there is none."""
    return _jar("sluiceway-flink-connector", jars)


def sync_jar_path(jars: Path = _JARS) -> Path:
    """Return the jar that syncs a whole database; FileNotFoundError if there is none."""
    return _jar("sluiceway-flink-sync", jars)


def _jar(artifact: str, jars: Path) -> Path:
    found = sorted(jars.glob(f"{artifact}-*.jar"), key=lambda jar: _version(jar, artifact))
    if not found:
        raise FileNotFoundError(
            f"{artifact} has not been built: run `python -m sluiceway.connector.build`"
        )
    return found[-1]


def _version(jar: Path, artifact: str) -> tuple[list[int], bool, str]:
    """Return what orders jars: the numbers, then releases behind what came before them."""
    version = jar.stem.removeprefix(f"{artifact}-")
    numbers, _, more = version.partition("-")
    return [int(number) for number in re.findall(r"\d+", numbers)], not more, more
