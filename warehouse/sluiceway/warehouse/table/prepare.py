"""Checking what a writer sends, before any of it is merged.

Invariant: what `prepare` returns has right types, buffers that may be followed without checks, keys
without NULLs, and values that fit; everything else is a UserError that names column and cure.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sluiceway.catalog import Column, Root, Table, UserError, from_arrow, widens

from ..kernels.fold import OP_DELETE, OP_UPDATE_BEFORE
from ..kernels.views import Bools, Int8s
from .arrays import MAX_BYTES, bytes_of, check_bytes

OP_NAME = "_op"
_ROW_KINDS = 4


def prepare(table: Table, batch: pa.RecordBatch, *, partial: bool) -> tuple[Int8s, pa.RecordBatch]:
    """Split a writer's batch into row kinds and checked columns of the table."""
    _check_buffers(table, batch)
    if bytes_of(batch) > MAX_BYTES:
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            check_bytes(f"the values of {name!r}", array.nbytes, "write smaller batches")
    ops = _ops(table, batch)
    upserts = (ops != OP_DELETE) & (ops != OP_UPDATE_BEFORE)
    names, arrays = [], []
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        if name != OP_NAME:
            column = table.column(name)
            names.append(name)
            arrays.append(_column(table, column, array, ops, upserts))
    _check_names(table, names, partial, bool(upserts.any()))
    return ops, pa.RecordBatch.from_arrays(arrays, names)


def _check_buffers(table: Table, batch: pa.RecordBatch) -> None:
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        raise UserError(
            f"a batch for {table.path} is not valid Arrow data: {error}", sqlstate="22000"
        ) from error


def _ops(table: Table, batch: pa.RecordBatch) -> Int8s:
    at = batch.schema.get_all_field_indices(OP_NAME)
    if len(at) != 1 or not pa.types.is_int8(batch.schema.field(at[0]).type):
        raise UserError(
            f"a batch for {table.path} needs exactly one column {OP_NAME!r} of type int8 (0 "
            "insert, 1 update before, 2 update after, 3 delete)",
            sqlstate="42703",
        )
    column = batch.column(at[0])
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


def _column(table: Table, column: Column, array: pa.Array, ops: Int8s, upserts: Bools) -> pa.Array:
    if array.null_count:
        if column.name in table.primary_key + table.partition_by:
            _check_nulls(table, column, array, ops != OP_UPDATE_BEFORE)
        elif not column.nullable:
            _check_nulls(table, column, array, upserts)
    wanted = column.type.arrow()
    if not array.type.equals(wanted):
        array = _cast(table, column, array, wanted)
    _check_length(table, column, array)
    if array.null_count and column.name in table.primary_key + table.partition_by:
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


def _check_length(table: Table, column: Column, array: pa.Array) -> None:
    limit = column.type.length
    if limit is None or limit >= MAX_BYTES or limit >= array.nbytes:
        return
    text = column.type.root in (Root.CHAR, Root.VARCHAR)
    longest = pc.max(pc.utf8_length(array) if text else pc.binary_length(array)).as_py()
    if longest is not None and longest > limit:
        raise UserError(
            f"a value of column {column.name!r} of {table.path} has {longest} "
            f"{'characters' if text else 'bytes'}, {column.type} takes {limit}",
            sqlstate="22001",
        )


def _check_names(table: Table, names: list[str], partial: bool, upserts: bool) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UserError(
            f"a batch for {table.path} has column {min(twice)!r} twice", sqlstate="42701"
        )
    for name in table.primary_key:
        if name not in names:
            raise UserError(
                f"a batch for {table.path} lacks {name!r}, a column of its primary key",
                sqlstate="23502",
            )
    for name in table.partition_by:
        if name not in names:
            raise UserError(
                f"a batch for {table.path} lacks {name!r}, by which it is partitioned",
                sqlstate="23502",
            )
    if partial or not upserts:
        return
    for column in table.columns:
        if not column.nullable and column.default is None and column.name not in names:
            raise UserError(
                f"a batch for {table.path} lacks {column.name!r}, which is NOT NULL without a "
                "default: write it, or ask for a partial update",
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
