"""What a table is: columns, keys, shards and options, as a value.

Invariants: names of columns are different and case-sensitive; ids of columns are never used again;
key columns exist, are NOT NULL and of a type whose equality is exact; the distribution key is part
of the primary key where there is one, and so are the columns that the table is partitioned by.
`Table.from_json(t.to_json()) == t`. A Table that `validated` returned obeys all of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from sluiceway.catalog import document as doc
from sluiceway.catalog.errors import ExistsError, NotFoundError, UserError
from sluiceway.catalog.literals import scalar
from sluiceway.catalog.names import check_column, check_database, check_table, did_you_mean
from sluiceway.catalog.options import MAX_SHARDS
from sluiceway.catalog.settings import TableProperties
from sluiceway.catalog.types import TEXT_ROOTS, DataType, Root
from sluiceway.catalog.typetext import parse_type

MAX_COLUMNS = 1600
MAX_PARTITION_COLUMNS = 2
_PARTITION_ROOTS = TEXT_ROOTS | {Root.TINYINT, Root.SMALLINT, Root.INT, Root.BIGINT, Root.DATE}


@dataclass(frozen=True)
class Column:
    """A column; `default` is the text of its default value, `id` 0 until the catalog gives one."""

    id: int
    name: str
    type: DataType
    nullable: bool = True
    comment: str | None = None
    default: str | None = None

    def arrow(self) -> pa.Field:
        """Return the column as a field of an Arrow schema."""
        return pa.field(self.name, self.type.arrow(), nullable=self.nullable)

    def default_scalar(self) -> pa.Scalar:
        """Return the value of a row that was written without this column."""
        return scalar(self.default, self.type)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of docs/wire.md."""
        return {
            "id": self.id,
            "name": self.name,
            "type": self.type.sql(),
            "nullable": self.nullable,
            "comment": self.comment,
            "default": self.default,
        }

    @classmethod
    def from_json(cls, document: object) -> Column:
        """Read the JSON object of docs/wire.md, strictly."""
        keys = ("id", "name", "type", "nullable", "comment", "default")
        read = doc.require_keys(document, "column", keys)
        return cls(
            id=doc.count(read, "id", "column"),
            name=doc.text(read, "name", "column"),
            type=parse_type(doc.text(read, "type", "column")),
            nullable=doc.flag(read, "nullable", "column", default=True),
            comment=doc.optional_text(read, "comment", "column"),
            default=doc.optional_text(read, "default", "column"),
        )


@dataclass(frozen=True)
class Database:
    """A database: a namespace of tables."""

    name: str
    comment: str | None = None


@dataclass(frozen=True)
class Table:
    """A table; `id`, `generation` and `schema_version` are 0 until the catalog gives them."""

    database: str
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    id: int = 0
    comment: str | None = None
    generation: int = 0
    schema_version: int = 0
    distribution_key: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    shards: int = 0
    options: Mapping[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        """Hash what tells tables and their versions apart: all columns would take too long."""
        return hash((self.database, self.name, self.id, self.generation, self.schema_version))

    @property
    def path(self) -> str:
        """Return `database.table`, the name for people."""
        return f"{self.database}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def _by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    def has_column(self, name: str) -> bool:
        """Tell whether a column has exactly this name."""
        return name in self._by_name

    def column(self, name: str) -> Column:
        """Return the column of this name; NotFoundError 42703 with the nearest ones."""
        found = self._by_name.get(name)
        if found is None:
            cure = did_you_mean(name, self._by_name)
            raise NotFoundError(
                f"Table {self.path} has no column {name!r}.{cure}", sqlstate="42703"
            )
        return found

    def column_by_id(self, column_id: int) -> Column | None:
        """Return the column of this id, None if this version of the schema lacks it."""
        return next((column for column in self.columns if column.id == column_id), None)

    def arrow_schema(self, columns: Sequence[str] | None = None) -> pa.Schema:
        """Return the Arrow schema of the columns named, in that order; of all for None."""
        chosen = self.columns if columns is None else [self.column(name) for name in columns]
        return pa.schema([column.arrow() for column in chosen])

    @cached_property
    def properties(self) -> TableProperties:
        """Return what the options say, typed."""
        return TableProperties.of(self.options)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of docs/wire.md."""
        return {
            "id": self.id,
            "database": self.database,
            "name": self.name,
            "comment": self.comment,
            "generation": self.generation,
            "schema_version": self.schema_version,
            "columns": [column.to_json() for column in self.columns],
            "primary_key": list(self.primary_key),
            "distribution_key": list(self.distribution_key),
            "partition_by": list(self.partition_by),
            "shards": self.shards,
            "options": dict(self.options),
        }

    @classmethod
    def from_json(cls, document: object) -> Table:
        """Read the JSON object of docs/wire.md, strictly; ids may be missing."""
        read = doc.require_keys(document, "table", _KEYS)
        columns = read.get("columns")
        if not isinstance(columns, list):
            raise doc.malformed("table", f"has a list as 'columns', not {columns!r}")
        return cls(
            id=doc.count(read, "id", "table"),
            database=doc.text(read, "database", "table"),
            name=doc.text(read, "name", "table"),
            comment=doc.optional_text(read, "comment", "table"),
            generation=doc.count(read, "generation", "table"),
            schema_version=doc.count(read, "schema_version", "table"),
            columns=tuple(Column.from_json(column) for column in columns),
            primary_key=doc.texts(read, "primary_key", "table"),
            distribution_key=doc.texts(read, "distribution_key", "table"),
            partition_by=doc.texts(read, "partition_by", "table"),
            shards=doc.count(read, "shards", "table"),
            options=doc.text_map(read, "options", "table"),
        )


_KEYS = (
    "id",
    "database",
    "name",
    "comment",
    "generation",
    "schema_version",
    "columns",
    "primary_key",
    "distribution_key",
    "partition_by",
    "shards",
    "options",
)


def validated(table: Table, default_shards: int) -> Table:
    """Return the table as it will be kept: key columns NOT NULL, keys and shards filled in."""
    properties = table.properties
    _check_columns(table)
    _check_key(table, table.primary_key, "primary key")
    _check_partition_columns(table)
    _check_orientation(table, properties)
    keys = frozenset(table.primary_key + table.partition_by)
    columns = (replace(c, nullable=c.nullable and c.name not in keys) for c in table.columns)
    return replace(
        table,
        database=check_database(table.database),
        name=check_table(table.name),
        columns=tuple(columns),
        distribution_key=_distribution_key(table, properties),
        shards=_shards(table, properties, default_shards),
        options=dict(table.options),
    )


def _check_columns(table: Table) -> None:
    if not table.columns:
        raise UserError(f"Table {table.path} has no column: give it one.", sqlstate="42P16")
    if len(table.columns) > MAX_COLUMNS:
        raise UserError(
            f"Table {table.path} has {len(table.columns)} columns: {MAX_COLUMNS} are the most.",
            sqlstate="54011",
        )
    for column in table.columns:
        check_column(column.name)
        column.default_scalar()
    twice = _first_twice(table.column_names)
    if twice is not None:
        raise ExistsError(f"Table {table.path} has two columns {twice!r}.", sqlstate="42701")


def _check_key(table: Table, key: Sequence[str], what: str) -> None:
    twice = _first_twice(key)
    if twice is not None:
        raise UserError(f"The {what} of {table.path} names {twice!r} twice.", sqlstate="42P16")
    for name in key:
        kind = table.column(name).type
        if not kind.can_be_key:
            raise UserError(
                f"Column {name!r} is {kind}, which cannot be in the {what} of {table.path}: "
                "use DECIMAL, BIGINT or STRING.",
                sqlstate="42P16",
            )


def _check_partition_columns(table: Table) -> None:
    if len(table.partition_by) > MAX_PARTITION_COLUMNS:
        raise UserError(
            f"Table {table.path} is partitioned by {len(table.partition_by)} columns: "
            f"{MAX_PARTITION_COLUMNS} are the most.",
            sqlstate="54011",
        )
    _check_key(table, table.partition_by, "partition key")
    for name in table.partition_by:
        kind = table.column(name).type
        if kind.root not in _PARTITION_ROOTS:
            raise UserError(
                f"Column {name!r} is {kind}, by which {table.path} cannot be partitioned: use "
                "STRING, DATE or a whole number.",
                sqlstate="42P16",
            )
        if table.primary_key and name not in table.primary_key:
            raise UserError(
                f"{table.path} is partitioned by {name!r}, which is not in its primary key "
                f"({', '.join(table.primary_key)}): rows of one key must meet in one partition.",
                sqlstate="42P16",
            )


def _check_orientation(table: Table, properties: TableProperties) -> None:
    orientation = properties.values.get("table_property.orientation", "")
    if "row" in orientation and not table.primary_key:
        raise UserError(
            f"{table.path} has table_property.orientation {orientation!r} but no primary key: give "
            "it one or use 'column'.",
            sqlstate="42P16",
        )


def _distribution_key(table: Table, properties: TableProperties) -> tuple[str, ...]:
    given, option = table.distribution_key, properties.distribution_key
    if given and option and given != option:
        raise UserError(
            f"The distribution key of {table.path} is given twice: {', '.join(given)} and, as "
            f"table_property.distribution_key, {', '.join(option)}.",
            sqlstate="42P16",
        )
    key = given or option or table.primary_key
    _check_key(table, key, "distribution key")
    outside = [name for name in key if table.primary_key and name not in table.primary_key]
    if outside:
        raise UserError(
            f"{outside[0]!r} is in the distribution key of {table.path} but not in its primary key "
            f"({', '.join(table.primary_key)}): rows of one key must meet in one shard.",
            sqlstate="42P16",
        )
    return key


def _shards(table: Table, properties: TableProperties, default_shards: int) -> int:
    option = properties.shard_count
    if table.shards and option and table.shards != option:
        raise UserError(
            f"Table {table.path} asks for {table.shards} shards and, as "
            f"table_property.shard_count, for {option}."
        )
    shards = table.shards or option or default_shards
    if shards > MAX_SHARDS:
        raise UserError(f"Table {table.path} asks for {shards} shards: {MAX_SHARDS} are the most.")
    return shards


def _first_twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
