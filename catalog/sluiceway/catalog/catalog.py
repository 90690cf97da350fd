"""The catalog: all databases and tables at one LSN, as a value that DDL turns into the next one.

Invariants: nothing mutates it (`ddl.py` makes the next one); ids of tables and columns are never
used again; every schema version of a living table stays known, so old rows can be read; each
partitioned table has its `partitions`; names resolve case-sensitively.
`Catalog.from_json(c.to_json()) == c`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sluiceway.catalog import document as doc
from sluiceway.catalog.errors import NotFoundError
from sluiceway.catalog.names import canonical_table, did_you_mean, known_names
from sluiceway.catalog.partitions import Partitions, Values, units_of
from sluiceway.catalog.table import Database, Table


@dataclass(frozen=True)
class Catalog:
    """Databases by name, tables and partitions by table id, each table's earlier schemas by age."""

    databases: Mapping[str, Database] = field(default_factory=dict, hash=False)
    tables: Mapping[int, Table] = field(default_factory=dict, hash=False)
    earlier: Mapping[int, tuple[Table, ...]] = field(default_factory=dict, hash=False)
    partitions: Mapping[int, Partitions] = field(default_factory=dict, hash=False)
    next_table_id: int = 1

    @classmethod
    def empty(cls) -> Catalog:
        """Return the catalog of a new warehouse."""
        return cls()

    @cached_property
    def _by_path(self) -> Mapping[tuple[str, str], Table]:
        return {(table.database, table.name): table for table in self.tables.values()}

    def database(self, name: str) -> Database:
        """Return the database; NotFoundError 3D000 with the nearest names."""
        found = self.databases.get(name)
        if found is None:
            cure = did_you_mean(name, self.databases) or (
                f" Databases: {known_names(self.databases)}."
            )
            raise NotFoundError(f"Database {name!r} does not exist.{cure}", sqlstate="3D000")
        return found

    def find_table(self, database: str, name: str) -> Table | None:
        """Return the table of this name, or None."""
        return self._by_path.get((database, canonical_table(name)))

    def table(self, database: str, name: str) -> Table:
        """Return the table; NotFoundError 3D000 or 42P01 with the nearest names."""
        found = self.find_table(database, name)
        if found is not None:
            return found
        self.database(database)
        cure = did_you_mean(name, (table.name for table in self.tables_of(database)))
        raise NotFoundError(f"Table {database}.{name} does not exist.{cure}")

    def tables_of(self, database: str) -> list[Table]:
        """Return the tables of a database by name; NotFoundError if there is no such database."""
        self.database(database)
        found = (table for table in self.tables.values() if table.database == database)
        return sorted(found, key=lambda table: table.name)

    def table_by_id(self, table_id: int) -> Table:
        """Return the table of this id; NotFoundError when it was dropped."""
        found = self.tables.get(table_id)
        if found is None:
            raise NotFoundError(f"Table {table_id} does not exist: it was dropped.")
        return found

    def schema(self, table_id: int, schema_version: int) -> Table:
        """Return the table with the columns and keys that it had at `schema_version`."""
        table = self.table_by_id(table_id)
        if schema_version == table.schema_version:
            return table
        for old in self.earlier.get(table_id, ()):
            if old.schema_version == schema_version:
                return replace(
                    table,
                    schema_version=schema_version,
                    columns=old.columns,
                    primary_key=old.primary_key,
                    distribution_key=old.distribution_key,
                    partition_by=old.partition_by,
                )
        raise NotFoundError(f"Table {table.path} never had schema version {schema_version}.")

    def units(self, table: Table) -> list[int]:
        """Return the numbers of the units that hold the rows of a table, oldest first."""
        if not table.partition_by:
            return list(range(table.shards))
        ids = self.partitions_of(table).values()
        return [unit for partition in ids for unit in units_of(table, partition)]

    def partitions_of(self, table: Table) -> Mapping[Values, int]:
        """Return the ids of a table's partitions by their values, oldest first; none of others."""
        return self.partitions[table.id].ids if table.partition_by else {}

    def only(self, table_id: int) -> Catalog:
        """Return what is needed to read the rows of one table."""

        def those(known: Mapping[int, Any]) -> Mapping[int, Any]:
            return {table_id: known[table_id]} if table_id in known else {}

        return Catalog(
            tables=those(self.tables),
            earlier=those(self.earlier),
            partitions=those(self.partitions),
            next_table_id=self.next_table_id,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the catalog for a checkpoint's manifest."""
        return {
            "next_table_id": self.next_table_id,
            "databases": [
                {"name": each.name, "comment": each.comment} for each in self.databases.values()
            ],
            "tables": [table.to_json() for table in self.tables.values()],
            "earlier": [old.to_json() for olds in self.earlier.values() for old in olds],
            "partitions": {str(table): each.to_json() for table, each in self.partitions.items()},
        }

    @classmethod
    def from_json(cls, document: object) -> Catalog:
        """Read what `to_json` wrote."""
        keys = ("next_table_id", "databases", "tables", "earlier", "partitions")
        read = doc.require_keys(document, "catalog", keys)
        tables = [Table.from_json(table) for table in read["tables"]]
        earlier: dict[int, tuple[Table, ...]] = {}
        for old in map(Table.from_json, read["earlier"]):
            earlier[old.id] = (*earlier.get(old.id, ()), old)
        databases = (Database(each["name"], each["comment"]) for each in read["databases"])
        return cls(
            databases={database.name: database for database in databases},
            tables={table.id: table for table in tables},
            earlier=earlier,
            partitions={
                int(table): Partitions.from_json(each)
                for table, each in read.get("partitions", {}).items()
            },
            next_table_id=read["next_table_id"],
        )
