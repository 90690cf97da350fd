"""Every option, declared once: Hologres' names, their VVR 8 aliases, the open connector's names.

Invariants: no two options share a name or an alias, whatever the case (a test sees to it).
Those of a server (`SERVER`) are apart: no statement names them, and Flink does not know them.
`docs/options.md` and the connector's `options.json` are generated from here by
`python -m sluiceway.catalog.options_doc`.
"""

from sluiceway.catalog.option import Option
from sluiceway.catalog.options.common import MAX_SHARDS
from sluiceway.catalog.options.connection import CATALOG, CONNECTION
from sluiceway.catalog.options.lookup import LOOKUP
from sluiceway.catalog.options.properties import PROPERTY
from sluiceway.catalog.options.server import SERVER
from sluiceway.catalog.options.sink import SINK
from sluiceway.catalog.options.source import SOURCE

ALL: tuple[Option, ...] = CATALOG + CONNECTION + SOURCE + SINK + LOOKUP + PROPERTY

__all__ = ["ALL", "MAX_SHARDS", "SERVER"]
