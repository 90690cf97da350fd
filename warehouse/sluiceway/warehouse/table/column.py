"""How one column of a table is stored.

Invariants: columns are named by id, so a rename moves nothing; ARRAY columns are stored as packed
bytes; a table without a primary key has the hidden column `_rid` behind its own columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from sluiceway.catalog import Column, DataType, parse_type, widens

from ..kernels.views import BITS, VARIABLE

VARIABLE_BYTES_A_ROW = 64
HIDDEN_ID = 0
HIDDEN_NAME = "_rid "  # as no column of a user is called


@dataclass(frozen=True)
class StoredColumn:
    """A column as the engine sees it; `storage` differs from `arrow` for ARRAY alone."""

    id: int
    name: str
    type: DataType
    arrow: pa.DataType
    storage: pa.DataType
    width: int
    nullable: bool
    default: pa.Scalar

    @property
    def reserved_bytes(self) -> int:
        """How many bytes of address space a segment has for each row of a variable column."""
        return VARIABLE_BYTES_A_ROW

    @property
    def is_list(self) -> bool:
        """Tell whether values are packed arrays."""
        return self.storage is not self.arrow

    def reads_as(self, other: StoredColumn) -> bool:
        """Tell whether buffers of this column are buffers of `other` as they lie."""
        if self.arrow.equals(other.arrow):
            return True
        return pa.types.is_decimal(self.arrow) and self.type.scale == other.type.scale

    def widens_to(self, other: StoredColumn) -> bool:
        """Tell whether values of this column can be made values of `other`."""
        return widens(self.type, other.type)


_WIDTHS = {
    pa.bool_().id: BITS,
    pa.string().id: VARIABLE,
    pa.binary().id: VARIABLE,
    pa.list_(pa.null()).id: VARIABLE,
}


def width_of(kind: pa.DataType) -> int:
    """Return the stored width of an Arrow type."""
    width = _WIDTHS.get(kind.id)
    return int(kind.bit_width) // 8 if width is None else width


def stored_column(column: Column) -> StoredColumn:
    """Return how the engine stores a column."""
    kind = column.type.arrow()
    return StoredColumn(
        id=column.id,
        name=column.name,
        type=column.type,
        arrow=kind,
        storage=pa.binary() if pa.types.is_list(kind) else kind,
        width=width_of(kind),
        nullable=column.nullable,
        default=column.default_scalar(),
    )


def hidden_column() -> StoredColumn:
    """Return the row id of a table without a primary key."""
    kind, arrow = parse_type("BIGINT"), pa.int64()
    return StoredColumn(
        HIDDEN_ID, HIDDEN_NAME, kind, arrow, arrow, 8, False, pa.scalar(None, arrow)
    )
