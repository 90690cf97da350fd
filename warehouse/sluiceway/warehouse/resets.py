"""Ending all rows of some units at one LSN: TRUNCATE, DROP PARTITION, half of an overwrite.

A RESET part a unit says how many rows live there; they end at the commit LSN, and each owns the
position of its delete (docs/format.md). Invariant: a unit without rows has no part, so a record
of RESET parts always changes something.
"""

from collections.abc import Iterable, Mapping, Sequence

from sluiceway.catalog import Catalog, CorruptionError, Table, canonical_values, units_of
from sluiceway.warehouse.log import Part, PartKind
from sluiceway.warehouse.state import State
from sluiceway.warehouse.table import Shard

_NO_BODY = (b"", b"", b"", b"")


def reset_parts(state: State, units: Iterable[tuple[Table, int]], first_lsn: int) -> list[Part]:
    """The RESET parts that end all rows of some units, with positions from `first_lsn` on.

    There is memory for it when they are made, or DiskFullError.
    """
    parts = []
    for table, unit in units:
        shard = state.shards_of(table)[unit]
        rows = shard.alive
        if rows:
            shard.reserve_marks()
            parts.append(
                Part(
                    table.id, table.generation, unit, table.schema_version, PartKind.RESET,
                    first_lsn, rows, rows, _NO_BODY,
                )
            )  # fmt: skip
            first_lsn += 2 * rows
    return parts


def units_to_empty(
    catalog: Catalog, table: Table, partition: Mapping[str, str] | None
) -> list[tuple[Table, int]]:
    """The units of a table or, by the values that name it, of one partition."""
    if partition is None:
        return [(table, unit) for unit in catalog.units(table)]
    values = canonical_values(table, partition)
    number = catalog.partitions[table.id].id_of(table, values)
    return [(table, unit) for unit in units_of(table, number)]


def apply_resets(state: State, parts: Sequence[Part], commit_lsn: int) -> None:
    """End the rows that RESET parts mean, unpublished."""
    for part in parts:
        reset(state.shards[part.table][part.unit], part.rows, commit_lsn)


def reset(shard: Shard, rows: int, commit_lsn: int) -> None:
    """End all rows of a shard, unpublished; there are as many as the log says."""
    ended = shard.reset(commit_lsn)
    if ended != rows:
        raise CorruptionError(
            f"commit {commit_lsn} ends {rows} rows of {shard.table.path} unit {shard.unit} and "
            f"{ended} are stored: the log does not belong to this checkpoint"
        )
