"""What a table is: names, types, schemas, options, DDL as values and what it does. No I/O.

Import from here alone; the modules inside may move.
"""

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
    change_from_json,
    change_to_json,
)
from sluiceway.catalog.ddl import apply_change
from sluiceway.catalog.errors import (
    ConflictError,
    CorruptionError,
    DiskFullError,
    ExistsError,
    GoneError,
    NotFoundError,
    SluicewayError,
    UnavailableError,
    UserError,
    error_from_text,
)
from sluiceway.catalog.literals import scalar as literal
from sluiceway.catalog.names import (
    DatabaseRef,
    canonical_table,
    check_column,
    check_database,
    check_table,
    did_you_mean,
    known_names,
    nearest,
    split_database,
    split_table,
)
from sluiceway.catalog.option import Effect, Kind, Option, Scope
from sluiceway.catalog.options import ALL as OPTIONS
from sluiceway.catalog.options import SERVER as SERVER_OPTIONS
from sluiceway.catalog.partitions import (
    MAX_PARTITIONS,
    Partitions,
    Values,
    canonical_values,
    partition_and_shard,
    spoken,
    unit_of,
    units_of,
)
from sluiceway.catalog.settings import TableProperties, option_of, resolve
from sluiceway.catalog.table import Column, Database, Table
from sluiceway.catalog.types import DataType, Root, from_arrow
from sluiceway.catalog.typetext import parse_type
from sluiceway.catalog.widening import widens

__all__ = [
    "MAX_PARTITIONS",
    "OPTIONS",
    "SERVER_OPTIONS",
    "AddColumn",
    "AddPartition",
    "Catalog",
    "Change",
    "Column",
    "ConflictError",
    "CorruptionError",
    "CreateDatabase",
    "CreateTable",
    "DataType",
    "Database",
    "DatabaseRef",
    "DiskFullError",
    "DropColumn",
    "DropDatabase",
    "DropPartition",
    "DropTable",
    "Effect",
    "ExistsError",
    "GoneError",
    "Kind",
    "NotFoundError",
    "MoveColumn",
    "Option",
    "Partitions",
    "RenameColumn",
    "RenameTable",
    "Root",
    "Scope",
    "SetComment",
    "SetNullable",
    "SetOptions",
    "SetType",
    "SluicewayError",
    "Table",
    "TableProperties",
    "UnavailableError",
    "UserError",
    "Values",
    "apply_change",
    "canonical_values",
    "canonical_table",
    "change_from_json",
    "change_to_json",
    "check_column",
    "check_database",
    "check_table",
    "did_you_mean",
    "error_from_text",
    "from_arrow",
    "known_names",
    "literal",
    "nearest",
    "option_of",
    "parse_type",
    "partition_and_shard",
    "resolve",
    "split_database",
    "split_table",
    "spoken",
    "unit_of",
    "units_of",
    "widens",
]
