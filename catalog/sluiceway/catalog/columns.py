"""What each change of its columns makes of a table.

Invariants: ids of columns stay, so rows that are stored stay readable; a column's type only ever
becomes one that holds all its values; no change moves a row to another shard. A change of nothing
gives the table back itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sluiceway.catalog.changes import (
    AddColumn,
    DropColumn,
    MoveColumn,
    RenameColumn,
    SetNullable,
    SetType,
)
from sluiceway.catalog.errors import ExistsError, UserError
from sluiceway.catalog.names import check_column
from sluiceway.catalog.settings import option_of
from sluiceway.catalog.table import Column, Table, validated
from sluiceway.catalog.types import DataType
from sluiceway.catalog.widening import keeps_distribution, widens, wider_than

ColumnChange = AddColumn | RenameColumn | DropColumn | MoveColumn | SetType | SetNullable


def columns_after(table: Table, change: ColumnChange, fresh_id: int) -> Table:
    """Return the table after `change`; an added column gets `fresh_id`."""
    if isinstance(change, AddColumn):
        return _add_column(table, change, fresh_id)
    return _APPLY[type(change)](table, change)


def _add_column(table: Table, change: AddColumn, fresh_id: int) -> Table:
    if change.if_not_exists and table.has_column(change.column.name):
        return table
    column = replace(change.column, id=fresh_id)
    _check_fills(table, column)
    columns = _inserted(table, table.columns, column, change.first, change.after)
    return validated(replace(table, columns=columns), table.shards)


def _inserted(
    table: Table, columns: tuple[Column, ...], column: Column, first: bool, after: str | None
) -> tuple[Column, ...]:
    at = 0 if first else len(columns)
    if after is not None:
        at = columns.index(table.column(after)) + 1
    return (*columns[:at], column, *columns[at:])


def _check_fills(table: Table, column: Column) -> None:
    """A row that was written before the column came must have a value for it."""
    if not column.nullable and column.default is None:
        raise UserError(
            f"Column {column.name!r} of {table.path} is NOT NULL and has no default, so rows that "
            "exist would have no value: make it nullable or give it a default.",
            sqlstate="23502",
        )


def _rename_column(table: Table, change: RenameColumn) -> Table:
    old, new = table.column(change.column).name, check_column(change.to)
    if new == old:
        return table
    if table.has_column(new):
        raise ExistsError(f"Table {table.path} has a column {new!r} already.", sqlstate="42701")

    def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if name == old else name for name in names)

    distribution_key = renamed(table.distribution_key)
    return replace(
        table,
        columns=tuple(replace(c, name=new) if c.name == old else c for c in table.columns),
        primary_key=renamed(table.primary_key),
        distribution_key=distribution_key,
        partition_by=renamed(table.partition_by),
        options={
            key: ",".join(distribution_key) if _is_distribution(key) else text
            for key, text in table.options.items()
        },
    )


def _drop_column(table: Table, change: DropColumn) -> Table:
    if change.if_exists and not table.has_column(change.column):
        return table
    target = table.column(change.column)
    key = _key_of(table, target)
    if key is not None:
        raise UserError(
            f"Column {target.name!r} is in the {key} of {table.path} and cannot be dropped: create "
            "a table with the key that you want and copy the rows.",
            sqlstate="42P16",
        )
    columns = tuple(column for column in table.columns if column is not target)
    if not columns:
        raise UserError(
            f"Column {target.name!r} is the only one of {table.path} and cannot be dropped: add "
            "another first, or drop the table.",
            sqlstate="42P16",
        )
    return replace(table, columns=columns)


def _key_of(table: Table, column: Column) -> str | None:
    """Return the name of the key that the column is in, None for the others."""
    if column.name in table.primary_key:
        return "primary key"
    if column.name in table.partition_by:
        return "partition key"
    return "distribution key" if column.name in table.distribution_key else None


def _move_column(table: Table, change: MoveColumn) -> Table:
    target = table.column(change.column)
    if change.after == target.name:
        raise UserError(
            f"Column {target.name!r} of {table.path} cannot stand after itself: name another.",
            sqlstate="42601",
        )
    others = tuple(column for column in table.columns if column is not target)
    columns = _inserted(table, others, target, change.first, change.after)
    if columns == table.columns:
        return table
    return replace(table, columns=columns)


def _set_type(table: Table, change: SetType) -> Table:
    target = table.column(change.column)
    if change.type == target.type:
        return table
    _check_widens(table, target, change.type)
    # A FLOAT's 0.1 is another number than a DOUBLE's: the default stays what rows have read.
    widened, was = replace(target, type=change.type), target.default_scalar().as_py()
    if widened.default_scalar().as_py() != was:
        widened = replace(widened, default=str(was))
    return with_column(table, target, widened)


def _check_widens(table: Table, column: Column, kind: DataType) -> None:
    what = f"Column {column.name!r} of {table.path} is {column.type}"
    if not widens(column.type, kind):
        raise UserError(
            f"{what} and cannot become {kind}, which does not hold all its values as they are. "
            f"Possible: {wider_than(column.type)}; else add a column and write to that.",
            sqlstate="42804",
        )
    key = _key_of(table, column)
    if key is not None and not (kind.can_be_key and keeps_distribution(column.type, kind)):
        raise UserError(
            f"{what} and in its {key}, and as {kind} its rows would belong to other shards. "
            "Possible are wider whole numbers, longer texts and more digits of the same scale; "
            "else create a table with the key that you want and copy the rows.",
            sqlstate="42P16",
        )


def _set_nullable(table: Table, change: SetNullable) -> Table:
    target = table.column(change.column)
    if change.nullable == target.nullable:
        return table
    if change.nullable and target.name in table.primary_key + table.partition_by:
        raise UserError(
            f"Column {target.name!r} is in the {_key_of(table, target)} of {table.path}, which is "
            "NOT NULL.",
            sqlstate="42P16",
        )
    return with_column(table, target, replace(target, nullable=change.nullable))


def with_column(table: Table, old: Column, new: Column) -> Table:
    """Return the table with a column in place of another."""
    return replace(table, columns=tuple(new if c is old else c for c in table.columns))


def _is_distribution(key: str) -> bool:
    option = option_of(key)
    return option is not None and option.key == "table_property.distribution_key"


_APPLY: dict[type, Callable[[Table, Any], Table]] = {
    RenameColumn: _rename_column,
    DropColumn: _drop_column,
    MoveColumn: _move_column,
    SetType: _set_type,
    SetNullable: _set_nullable,
}
