"""DDL as values: what can be done to a catalog, and its JSON of docs/wire.md.

Invariants: `change_from_json(change_to_json(c)) == c`; an unknown kind or key is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sluiceway.catalog import document as doc
from sluiceway.catalog.names import did_you_mean
from sluiceway.catalog.table import Column, Table
from sluiceway.catalog.types import DataType
from sluiceway.catalog.typetext import parse_type


@dataclass(frozen=True)
class CreateDatabase:
    """Create a database."""

    database: str
    comment: str | None = None
    if_not_exists: bool = False


@dataclass(frozen=True)
class DropDatabase:
    """Drop a database; with `cascade` also the tables in it."""

    database: str
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True)
class CreateTable:
    """Create a table; its ids are given by the catalog."""

    table: Table
    if_not_exists: bool = False


@dataclass(frozen=True)
class DropTable:
    """Drop a table."""

    database: str
    table: str
    if_exists: bool = False


@dataclass(frozen=True)
class RenameTable:
    """Give a table another name in its database; its id and its rows stay."""

    database: str
    table: str
    to: str
    if_exists: bool = False


@dataclass(frozen=True)
class AddColumn:
    """Add a column at the end, first, or after another; it is nullable or has a default."""

    database: str
    table: str
    column: Column
    first: bool = False
    after: str | None = None
    if_not_exists: bool = False


@dataclass(frozen=True)
class RenameColumn:
    """Give a column another name; its id and its values stay."""

    database: str
    table: str
    column: str
    to: str


@dataclass(frozen=True)
class DropColumn:
    """Drop a column that is in no key; its id is never used again."""

    database: str
    table: str
    column: str
    if_exists: bool = False


@dataclass(frozen=True)
class MoveColumn:
    """Put a column first, after another, or at the end."""

    database: str
    table: str
    column: str
    first: bool = False
    after: str | None = None


@dataclass(frozen=True)
class SetType:
    """Give a column a type that holds every value of its old one (`widening.py`)."""

    database: str
    table: str
    column: str
    type: DataType


@dataclass(frozen=True)
class SetNullable:
    """Let a column hold NULL, or let it no more: then no row may have one."""

    database: str
    table: str
    column: str
    nullable: bool


@dataclass(frozen=True)
class SetComment:
    """Set or remove the comment of a column, or of the table when `column` is None."""

    database: str
    table: str
    column: str | None
    comment: str | None


@dataclass(frozen=True)
class SetOptions:
    """Set options of a table and reset others to their defaults."""

    database: str
    table: str
    set: Mapping[str, str] = field(default_factory=dict, hash=False)
    reset: tuple[str, ...] = ()


@dataclass(frozen=True)
class AddPartition:
    """Create the partition of some values, by partition column."""

    database: str
    table: str
    values: Mapping[str, str] = field(hash=False)
    if_not_exists: bool = False


@dataclass(frozen=True)
class DropPartition:
    """Drop the partition of some values, with its rows."""

    database: str
    table: str
    values: Mapping[str, str] = field(hash=False)
    if_exists: bool = False


Change = (
    CreateDatabase
    | DropDatabase
    | CreateTable
    | DropTable
    | RenameTable
    | AddColumn
    | RenameColumn
    | DropColumn
    | MoveColumn
    | SetType
    | SetNullable
    | SetComment
    | SetOptions
    | AddPartition
    | DropPartition
)


def change_to_json(change: Change) -> dict[str, Any]:
    """Return the JSON object of docs/wire.md."""
    kind = _KIND_OF[type(change)]
    if isinstance(change, CreateTable):
        return {
            "kind": kind,
            "table": change.table.to_json(),
            "if_not_exists": change.if_not_exists,
        }
    document = {"kind": kind, **vars(change)}
    if isinstance(change, AddColumn | MoveColumn):
        del document["first"], document["after"]
        document["position"] = "first" if change.first else _after(change.after)
    if isinstance(change, AddColumn):
        document["column"] = change.column.to_json()
    if isinstance(change, SetType):
        document["type"] = change.type.sql()
    if isinstance(change, SetOptions):
        document |= {"set": dict(change.set), "reset": list(change.reset)}
    if isinstance(change, AddPartition | DropPartition):
        document["values"] = dict(change.values)
    return document


def change_from_json(document: object) -> Change:
    """Read the JSON object of docs/wire.md, strictly; UserError 22032 names what is wrong."""
    if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
        raise doc.malformed("change", f"is an object with a 'kind', not {document!r}")
    kind = document["kind"]
    if kind not in _READERS:
        raise doc.malformed("change", f"has no kind {kind!r}.{did_you_mean(kind, _READERS)}")
    keys, read = _READERS[kind]
    doc.require_keys(document, f"change {kind}", ("kind", *keys))
    return read(document, f"change {kind}")


def _after(name: str | None) -> dict[str, str] | None:
    return None if name is None else {"after": name}


_Document = Mapping[str, Any]


def _create_database(d: _Document, what: str) -> Change:
    return CreateDatabase(
        doc.text(d, "database", what),
        doc.optional_text(d, "comment", what),
        doc.flag(d, "if_not_exists", what),
    )


def _drop_database(d: _Document, what: str) -> Change:
    return DropDatabase(
        doc.text(d, "database", what), doc.flag(d, "if_exists", what), doc.flag(d, "cascade", what)
    )


def _create_table(d: _Document, what: str) -> Change:
    return CreateTable(Table.from_json(d.get("table")), doc.flag(d, "if_not_exists", what))


def _drop_table(d: _Document, what: str) -> Change:
    return DropTable(*_path(d, what), doc.flag(d, "if_exists", what))


def _rename_table(d: _Document, what: str) -> Change:
    return RenameTable(*_path(d, what), doc.text(d, "to", what), doc.flag(d, "if_exists", what))


def _add_column(d: _Document, what: str) -> Change:
    first, after = _position(d, what)
    column = Column.from_json(d.get("column"))
    return AddColumn(*_path(d, what), column, first, after, doc.flag(d, "if_not_exists", what))


def _position(d: _Document, what: str) -> tuple[bool, str | None]:
    position, after = d.get("position"), None
    if isinstance(position, Mapping):
        doc.require_keys(position, "position", ("after",))
        after = doc.text(position, "after", "position")
    elif position not in (None, "first"):
        raise doc.malformed(what, f"has null, 'first' or an object as 'position', not {position!r}")
    return position == "first", after


def _rename_column(d: _Document, what: str) -> Change:
    return RenameColumn(*_path(d, what), doc.text(d, "column", what), doc.text(d, "to", what))


def _drop_column(d: _Document, what: str) -> Change:
    column = doc.text(d, "column", what)
    return DropColumn(*_path(d, what), column, doc.flag(d, "if_exists", what))


def _move_column(d: _Document, what: str) -> Change:
    return MoveColumn(*_path(d, what), doc.text(d, "column", what), *_position(d, what))


def _set_type(d: _Document, what: str) -> Change:
    kind = parse_type(doc.text(d, "type", what))
    return SetType(*_path(d, what), doc.text(d, "column", what), kind)


def _set_nullable(d: _Document, what: str) -> Change:
    if "nullable" not in d:
        raise doc.malformed(what, "has true or false as 'nullable'")
    column = doc.text(d, "column", what)
    return SetNullable(*_path(d, what), column, doc.flag(d, "nullable", what))


def _set_comment(d: _Document, what: str) -> Change:
    column = doc.optional_text(d, "column", what)
    return SetComment(*_path(d, what), column, doc.optional_text(d, "comment", what))


def _set_options(d: _Document, what: str) -> Change:
    return SetOptions(*_path(d, what), doc.text_map(d, "set", what), doc.texts(d, "reset", what))


def _add_partition(d: _Document, what: str) -> Change:
    values = doc.text_map(d, "values", what)
    return AddPartition(*_path(d, what), values, doc.flag(d, "if_not_exists", what))


def _drop_partition(d: _Document, what: str) -> Change:
    values = doc.text_map(d, "values", what)
    return DropPartition(*_path(d, what), values, doc.flag(d, "if_exists", what))


def _path(d: _Document, what: str) -> tuple[str, str]:
    return doc.text(d, "database", what), doc.text(d, "table", what)


_Reader = tuple[tuple[str, ...], Callable[[_Document, str], Change]]
_PATH = ("database", "table")
_READERS: dict[str, _Reader] = {
    "create_database": (("database", "comment", "if_not_exists"), _create_database),
    "drop_database": (("database", "if_exists", "cascade"), _drop_database),
    "create_table": (("table", "if_not_exists"), _create_table),
    "drop_table": ((*_PATH, "if_exists"), _drop_table),
    "rename_table": ((*_PATH, "to", "if_exists"), _rename_table),
    "add_column": ((*_PATH, "column", "position", "if_not_exists"), _add_column),
    "rename_column": ((*_PATH, "column", "to"), _rename_column),
    "drop_column": ((*_PATH, "column", "if_exists"), _drop_column),
    "move_column": ((*_PATH, "column", "position"), _move_column),
    "set_type": ((*_PATH, "column", "type"), _set_type),
    "set_nullable": ((*_PATH, "column", "nullable"), _set_nullable),
    "set_comment": ((*_PATH, "column", "comment"), _set_comment),
    "set_options": ((*_PATH, "set", "reset"), _set_options),
    "add_partition": ((*_PATH, "values", "if_not_exists"), _add_partition),
    "drop_partition": ((*_PATH, "values", "if_exists"), _drop_partition),
}
_KIND_OF: dict[type, str] = {
    CreateDatabase: "create_database",
    DropDatabase: "drop_database",
    CreateTable: "create_table",
    DropTable: "drop_table",
    RenameTable: "rename_table",
    AddColumn: "add_column",
    RenameColumn: "rename_column",
    DropColumn: "drop_column",
    MoveColumn: "move_column",
    SetType: "set_type",
    SetNullable: "set_nullable",
    SetComment: "set_comment",
    SetOptions: "set_options",
    AddPartition: "add_partition",
    DropPartition: "drop_partition",
}
