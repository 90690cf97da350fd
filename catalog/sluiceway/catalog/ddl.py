"""What each change does to a catalog.

Invariants: every function returns new values and leaves its arguments as they were; a change that
alters how rows are read (columns added, dropped, renamed, moved, of another type or nullability)
makes a new schema version and keeps the one before; names, comments, options and partitions of a
table do not.
What depends on the rows (SET NOT NULL) is for the warehouse to refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sluiceway.catalog.catalog import Catalog
from sluiceway.catalog.changes import (
    AddColumn,
    AddPartition,
    Change,
    CreateDatabase,
    CreateTable,
    DropColumn,
    DropDatabase,
    DropPartition,
    DropTable,
    MoveColumn,
    RenameColumn,
    RenameTable,
    SetComment,
    SetNullable,
    SetOptions,
    SetType,
)
from sluiceway.catalog.columns import ColumnChange, columns_after, with_column
from sluiceway.catalog.errors import ExistsError, UserError
from sluiceway.catalog.names import check_database, check_table, known_names
from sluiceway.catalog.partitions import Partitions, canonical_values
from sluiceway.catalog.settings import altered
from sluiceway.catalog.table import Database, Table, validated

Applied = tuple[Catalog, Table | None]


def apply_change(catalog: Catalog, change: Change, *, default_shards: int) -> Applied:
    """Return the catalog after `change` and the table it is about, as it is then.

    The catalog itself comes back when IF (NOT) EXISTS made the change one of nothing.
    """
    if isinstance(change, CreateTable):
        return _create_table(catalog, change, default_shards)
    return _APPLY[type(change)](catalog, change)


def _create_database(catalog: Catalog, change: CreateDatabase) -> Applied:
    name = check_database(change.database)
    if name in catalog.databases:
        if change.if_not_exists:
            return catalog, None
        raise ExistsError(
            f"Database {name!r} exists: add IF NOT EXISTS or choose another name.", sqlstate="42P04"
        )
    databases = {**catalog.databases, name: Database(name, change.comment)}
    return replace(catalog, databases=databases), None


def _drop_database(catalog: Catalog, change: DropDatabase) -> Applied:
    name = change.database
    if change.if_exists and name not in catalog.databases:
        return catalog, None
    inside = catalog.tables_of(name)
    if inside and not change.cascade:
        names = known_names(table.name for table in inside)
        raise UserError(
            f"Database {name!r} has tables ({names}): drop them first, or add CASCADE.",
            sqlstate="2BP01",
        )
    databases = {key: each for key, each in catalog.databases.items() if key != name}
    return replace(_without(catalog, {table.id for table in inside}), databases=databases), None


def _create_table(catalog: Catalog, change: CreateTable, default_shards: int) -> Applied:
    asked = change.table
    catalog.database(asked.database)
    existing = catalog.find_table(asked.database, check_table(asked.name))
    if existing is not None and change.if_not_exists:
        return catalog, existing
    _check_free(catalog, asked.database, asked.name)
    table = validated(asked, default_shards)
    numbered = tuple(replace(column, id=i) for i, column in enumerate(table.columns, 1))
    table = replace(
        table, id=catalog.next_table_id, generation=1, schema_version=1, columns=numbered
    )
    tables, partitions = {**catalog.tables, table.id: table}, catalog.partitions
    if table.partition_by:
        partitions = {**partitions, table.id: Partitions()}
    after = replace(catalog, tables=tables, partitions=partitions, next_table_id=table.id + 1)
    return after, table


def _drop_table(catalog: Catalog, change: DropTable) -> Applied:
    if change.if_exists and _missing(catalog, change.database, change.table):
        return catalog, None
    table = catalog.table(change.database, change.table)
    return _without(catalog, {table.id}), table


def _rename_table(catalog: Catalog, change: RenameTable) -> Applied:
    if change.if_exists and _missing(catalog, change.database, change.table):
        return catalog, None
    table = catalog.table(change.database, change.table)
    name = check_table(change.to)
    if name != table.name:
        _check_free(catalog, table.database, name)
    return _with(catalog, replace(table, name=name))


def _alter_columns(catalog: Catalog, change: ColumnChange) -> Applied:
    table = catalog.table(change.database, change.table)
    versions = (table, *catalog.earlier.get(table.id, ()))
    fresh_id = max(column.id for version in versions for column in version.columns) + 1
    after = columns_after(table, change, fresh_id)
    if after is table:
        return catalog, table
    earlier = {**catalog.earlier, table.id: (*catalog.earlier.get(table.id, ()), table)}
    after = replace(after, schema_version=table.schema_version + 1)
    return _with(replace(catalog, earlier=earlier), after)


def _set_comment(catalog: Catalog, change: SetComment) -> Applied:
    table = catalog.table(change.database, change.table)
    if change.column is None:
        return _with(catalog, replace(table, comment=change.comment))
    target = table.column(change.column)
    return _with(catalog, with_column(table, target, replace(target, comment=change.comment)))


def _set_options(catalog: Catalog, change: SetOptions) -> Applied:
    table = catalog.table(change.database, change.table)
    options = altered(table.options, change.set, change.reset)
    return _with(catalog, replace(table, options=options))


def _add_partition(catalog: Catalog, change: AddPartition) -> Applied:
    table = catalog.table(change.database, change.table)
    values = canonical_values(table, change.values)
    known = catalog.partitions[table.id]
    if change.if_not_exists and values in known.ids:
        return catalog, table
    return _with_partitions(catalog, table, known.with_new(table, values))


def _missing(catalog: Catalog, database: str, name: str) -> bool:
    return database not in catalog.databases or catalog.find_table(database, name) is None


def _check_free(catalog: Catalog, database: str, name: str) -> None:
    if catalog.find_table(database, name) is not None:
        raise ExistsError(f"Table {database}.{name} exists: choose another name, or drop it first.")


def _with(catalog: Catalog, table: Table) -> Applied:
    return replace(catalog, tables={**catalog.tables, table.id: table}), table


def _drop_partition(catalog: Catalog, change: DropPartition) -> Applied:
    table = catalog.table(change.database, change.table)
    values = canonical_values(table, change.values)
    known = catalog.partitions[table.id]
    if change.if_exists and values not in known.ids:
        return catalog, table
    return _with_partitions(catalog, table, known.without(table, values))


def _with_partitions(catalog: Catalog, table: Table, partitions: Partitions) -> Applied:
    return replace(catalog, partitions={**catalog.partitions, table.id: partitions}), table


def _without(catalog: Catalog, ids: set[int]) -> Catalog:
    return replace(
        catalog,
        tables={key: table for key, table in catalog.tables.items() if key not in ids},
        earlier={key: olds for key, olds in catalog.earlier.items() if key not in ids},
        partitions={key: each for key, each in catalog.partitions.items() if key not in ids},
    )


_APPLY: dict[type, Callable[[Catalog, Any], Applied]] = {
    CreateDatabase: _create_database,
    DropDatabase: _drop_database,
    DropTable: _drop_table,
    RenameTable: _rename_table,
    AddColumn: _alter_columns,
    RenameColumn: _alter_columns,
    DropColumn: _alter_columns,
    MoveColumn: _alter_columns,
    SetType: _alter_columns,
    SetNullable: _alter_columns,
    SetComment: _set_comment,
    SetOptions: _set_options,
    AddPartition: _add_partition,
    DropPartition: _drop_partition,
}
