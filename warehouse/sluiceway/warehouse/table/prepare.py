"""Checking what a writer sends, before any of it is merged.

Invariant: what `prepare` returns has right types, buffers that may be followed without checks, keys
without NULLs, and values that fit; everything else is a UserError that names column and cure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sluiceway.catalog import (
    Column,
    ExistsError,
    NotFoundError,
    Root,
    Table,
    UserError,
    from_arrow,
    widens,
)

from ..kernels.fold import OP_UPDATE_BEFORE
from ..kernels.views import Bools, Int8s
from .arrays import MAX_BYTES, bytes_of, check_bytes

# Row kinds come first, under no name where the table has a column of this one.
OP_NAME = "_op"
_OP_NAMES = (OP_NAME, "")
_ROW_KINDS = 4


def prepare(table: Table, batch: pa.RecordBatch, *, partial: bool) -> tuple[Int8s, pa.RecordBatch]:
    """Split a writer's batch into row kinds and checked columns, in the order of the table."""
    _check_buffers(table, batch)
    if bytes_of(batch) > MAX_BYTES:
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            check_bytes(f"the values of {name!r}", array.nbytes, "write smaller batches")
    intake = _intakes(table).of(batch.schema)
    ops = _ops(table, batch.column(0))
    rows = batch.select(intake.order)
    for at, column in intake.checked:
        array = rows.column(at)
        checked = _column(table, column, array, ops)
        if checked is not array:
            rows = rows.set_column(at, column.name, checked)
    if intake.lacking is not None and not partial and _upserts(ops).any():
        raise UserError(
            f"a batch for {table.path} lacks {intake.lacking!r}, which is NOT NULL without a "
            "default: write it, or ask for a partial update",
            sqlstate="23502",
        )
    return ops, rows


def _check_buffers(table: Table, batch: pa.RecordBatch) -> None:
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        raise UserError(
            f"a batch for {table.path} is not valid Arrow data: {error}", sqlstate="22000"
        ) from error


@dataclass(frozen=True)
class _Intake:
    """What is known of every batch of one schema: all that need not be asked of its values.

    `order` has the columns in the order of the table; those of `checked`, by their places there,
    may hold what is refused or has to be cast. `lacking` is a column without which no row begins.
    """

    schema: pa.Schema
    order: list[int]
    checked: list[tuple[int, Column]]
    lacking: str | None


class _Intakes:
    """The intakes of one version of a table; it keeps the newest, for most batches are alike."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._newest: _Intake | None = None

    def of(self, schema: pa.Schema) -> _Intake:
        """Return how batches of a schema are taken in, or refuse all of them."""
        newest = self._newest
        if newest is None or not newest.schema.equals(schema):
            newest = self._newest = self._made(schema)
        return newest

    def _made(self, schema: pa.Schema) -> _Intake:
        table = self._table
        _check_ops(table, schema)
        names = schema.names[1:]
        places = {name: at for at, name in enumerate(names, 1)}
        _check_names(table, names, places)
        columns = [column for column in table.columns if column.name in places]
        order = [places[column.name] for column in columns]
        checked = [
            (at, column)
            for at, column in enumerate(columns)
            if not column.nullable
            or column.name in table.primary_key + table.partition_by
            or _limit_of(column) is not None
            or not schema.field(order[at]).type.equals(column.type.arrow())
        ]
        return _Intake(schema, order, checked, lacking(table, schema))


def lacking(table: Table, schema: pa.Schema) -> str | None:
    """Return a column without which no row begins and that batches of a schema lack, if any."""
    given = frozenset(schema.names[1:])
    must = (c.name for c in table.columns if not c.nullable and c.default is None)
    return next((name for name in must if name not in given), None)


@lru_cache(maxsize=4096)
def _intakes(table: Table) -> _Intakes:
    return _Intakes(table)


def _check_ops(table: Table, schema: pa.Schema) -> None:
    """Refuse batches that do not begin with row kinds, or where they may be a user's column."""
    first = schema.field(0) if len(schema) else None
    if first is None or first.name not in _OP_NAMES or not pa.types.is_int8(first.type):
        raise NotFoundError(
            f"a batch for {table.path} needs as its first column {OP_NAME!r} of type int8 (0 "
            "insert, 1 update before, 2 update after, 3 delete)",
            sqlstate="42703",
        )
    if first.name in table.column_names and first.name not in schema.names[1:]:
        raise UserError(
            f"the first column of a batch for {table.path} is {OP_NAME!r}, the kinds of rows or "
            "the table's column of that name: call the kinds '' (nothing), or let the column "
            "follow them",
            sqlstate="42702",
        )


def _ops(table: Table, column: pa.Array) -> Int8s:
    known = column.fill_null(-1) if column.null_count else column
    ops: Int8s = known.to_numpy(zero_copy_only=False).copy()
    wrong = ops.view(np.uint8) >= _ROW_KINDS
    if wrong.any():
        row = int(np.argmax(wrong))
        raise UserError(
            f"row {row} of a batch for {table.path} has {OP_NAME} {column[row]}: use 0, 1, 2 or 3"
        )
    if not table.primary_key and bool((ops & 1).any()):
        raise UserError(
            f"table {table.path} has no primary key, so rows can only be inserted: row "
            f"{np.flatnonzero(ops & 1)[0]} is an update or a delete",
            sqlstate="0A000",
        )
    return ops


def _upserts(ops: Int8s) -> Bools:
    upserts: Bools = (ops & 1) == 0
    return upserts


def _column(table: Table, column: Column, array: pa.Array, ops: Int8s) -> pa.Array:
    """Return a column as the table has it, or refuse it for one of its values."""
    is_key = column.name in table.primary_key + table.partition_by
    if array.null_count and is_key:
        _check_nulls(table, column, array, ops != OP_UPDATE_BEFORE)
    elif array.null_count and not column.nullable:
        _check_nulls(table, column, array, _upserts(ops))
    wanted = column.type.arrow()
    if not array.type.equals(wanted):
        array = _cast(table, column, array, wanted)
    _check_length(table, column, array)
    if array.null_count and is_key:
        array = pc.fill_null(array, _zero(wanted))
    return array


def _check_nulls(table: Table, column: Column, array: pa.Array, rows: Bools) -> None:
    nulls = np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False) & rows)
    if len(nulls):
        raise UserError(
            f"row {nulls[0]} of a batch for {table.path} has NULL in {column.name!r}, which is "
            "NOT NULL",
            sqlstate="23502",
        )


def _cast(table: Table, column: Column, array: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Cast within a family of types, if every value fits, or to a type that holds them all.

    The second is for those who began to write before the column became what it is.
    """
    if _family(array.type) != _family(wanted) and not _widens(array.type, column):
        raise UserError(
            f"column {column.name!r} of {table.path} is {column.type}, Arrow {wanted}; the batch "
            f"has {array.type}",
            sqlstate="42804",
        )
    try:
        return array.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UserError(
            f"a value of column {column.name!r} of {table.path} does not fit {column.type}: "
            f"{error}",
            sqlstate="22003",
        ) from error


def _widens(kind: pa.DataType, column: Column) -> bool:
    try:
        return widens(from_arrow(kind), column.type)
    except UserError:
        return False


def _family(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return _family(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"list of {_family(kind.value_type)}"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "bytes"
    if pa.types.is_fixed_size_binary(kind) and not pa.types.is_decimal(kind):
        return "bytes"
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz is None else "instant"
    for name, test in _FAMILIES.items():
        if test(kind):
            return name
    return str(kind)


_FAMILIES = {
    "whole number": pa.types.is_integer,
    "floating number": pa.types.is_floating,
    "decimal number": pa.types.is_decimal,
    "date": pa.types.is_date,
    "time": pa.types.is_time,
}


def _limit_of(column: Column) -> int | None:
    """The length that values of a type may have, None if every one fits that fits a batch."""
    limit = column.type.length
    return None if limit is None or limit >= MAX_BYTES else limit


def _check_length(table: Table, column: Column, array: pa.Array) -> None:
    limit = _limit_of(column)
    if limit is None or limit >= array.nbytes:
        return
    text = column.type.root in (Root.CHAR, Root.VARCHAR)
    longest = pc.max(pc.utf8_length(array) if text else pc.binary_length(array)).as_py()
    if longest is not None and longest > limit:
        raise UserError(
            f"a value of column {column.name!r} of {table.path} has {longest} "
            f"{'characters' if text else 'bytes'}, {column.type} takes {limit}",
            sqlstate="22001",
        )


def _check_names(table: Table, names: Sequence[str], places: Mapping[str, int]) -> None:
    for name in places:
        table.column(name)
    if len(places) < len(names):
        twice = min(name for name in names if names.count(name) > 1)
        raise ExistsError(f"a batch for {table.path} has column {twice!r} twice", sqlstate="42701")
    for name in table.primary_key:
        if name not in places:
            raise UserError(
                f"a batch for {table.path} lacks {name!r}, a column of its primary key",
                sqlstate="23502",
            )
    for name in table.partition_by:
        if name not in places:
            raise UserError(
                f"a batch for {table.path} lacks {name!r}, by which it is partitioned",
                sqlstate="23502",
            )


def _zero(kind: pa.DataType) -> pa.Scalar:
    """Return the value that stands in for the NULL keys of rows that are ignored."""
    if pa.types.is_string(kind):
        return pa.scalar("", kind)
    if pa.types.is_binary(kind):
        return pa.scalar(b"", kind)
    return (
        pa.scalar(0, pa.int64()).cast(kind) if not pa.types.is_boolean(kind) else pa.scalar(False)
    )
