"""A client of a warehouse server: Python values and Arrow in, Arrow out.

Invariants: no state but where to call, so what another session changes is seen at once; errors are
the catalog's classes; a call that the server never saw raises UnavailableError naming the endpoint.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import pyarrow as pa
import pyarrow.flight as fl

from sluiceway.catalog import Change, Database, Table, UserError, change_to_json
from sluiceway.warehouse.client.errors import translated
from sluiceway.warehouse.client.lookups import Lookups
from sluiceway.warehouse.client.moments import microseconds
from sluiceway.warehouse.client.routes import Route, Routes, encode
from sluiceway.warehouse.client.stage import Stage, abort_staged, commit_staged
from sluiceway.warehouse.client.streams import Changes, Chunks
from sluiceway.warehouse.client.transaction import Transaction
from sluiceway.warehouse.client.writer import WINDOW_DEFAULT, Ack, Writer, write_rows

WIRE_VERSION = 1
SCHEME = "grpc://"

S = TypeVar("S", bound=Chunks)


class Client:
    """A connection to one warehouse server and its readers, usable from several threads."""

    def __init__(self, endpoint: str) -> None:
        address = endpoint.removeprefix(SCHEME)
        host, colon, port = address.rpartition(":")
        if not (colon and host and port.isdecimal()):
            raise UserError(f'endpoint "{endpoint}" is not "host:port"', sqlstate="22023")
        self.endpoint = SCHEME + address
        self._routes = Routes(self.endpoint)

    def close(self) -> None:
        """Close the connection; streams that are open end with an error."""
        self._routes.close()

    # Questions and orders

    def act(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask or order by the name and the JSON of docs/wire.md."""
        # What was done before its answer got lost would be done again, perhaps to newer rows.
        repeatable = name not in ("ddl", "truncate") or body.get("change_id") is not None
        return self._routes.act(name, body, repeatable=repeatable)

    def hello(self) -> dict[str, Any]:
        """Ask the server who it is, and check that both speak the same wire."""
        answer = self.act("hello", {})
        if answer["wire"] != WIRE_VERSION:
            raise UserError(
                f"{self.endpoint} speaks wire {answer['wire']}, this client {WIRE_VERSION}: "
                "use a client of the server's release"
            )
        return answer

    def ddl(self, *changes: Change, change_id: str | None = None) -> list[Table | None]:
        """Apply changes to the catalog, all or nothing; return the table after each."""
        body = {"changes": [change_to_json(c) for c in changes], "change_id": change_id}
        answer = self.act("ddl", body)
        self._routes.acknowledged(answer["lsn"])
        tables = answer["tables"]
        return [None if table is None else Table.from_json(table) for table in tables]

    def truncate(
        self,
        database: str,
        table: str,
        *,
        table_id: int | None = None,
        partition: Mapping[str, str] | None = None,
    ) -> Ack:
        """End all rows of a table, or of the partition of some values, in one commit.

        The changelog gets their deletes.
        """
        named = None if partition is None else dict(partition)
        body = {"database": database, "table": table, "table_id": table_id, "partition": named}
        ack = Ack(**self.act("truncate", body))
        self._routes.acknowledged(ack.lsn)
        return ack

    def databases(self) -> list[Database]:
        """List the databases."""
        found = self.act("databases", {})["databases"]
        return [Database(d["name"], d["comment"]) for d in found]

    def tables(self, database: str) -> list[Table]:
        """List the tables of a database, by name."""
        return [Table.from_json(t) for t in self.act("tables", {"database": database})["tables"]]

    def table(
        self,
        database: str,
        table: str,
        *,
        lsn: int | None = None,
        as_of: datetime | str | None = None,
    ) -> Table:
        """Describe one table as it is, or as it was at an LSN or a time."""
        time_us = None if as_of is None else microseconds(as_of)
        body = {"database": database, "table": table, "lsn": lsn, "time_us": time_us}
        answer = self.act("table", body)
        return Table.from_json(answer["table"])

    def partitions(self, database: str, table: str, lsn: int | None = None) -> list[dict[str, str]]:
        """List the partitions of a table, oldest first, each by its values."""
        answer = self.act("partitions", {"database": database, "table": table, "lsn": lsn})
        return [partition["values"] for partition in answer["partitions"]]

    def shards(self, database: str, table: str, time_us: int | None = None) -> dict[str, Any]:
        """Ask for the shards of a table, their locations and positions."""
        return self.act("shards", {"database": database, "table": table, "time_us": time_us})

    def hold(self, name: str, ttl_ms: int, lsn: int | None = None) -> int:
        """Create or renew a snapshot lease; return the LSN that it keeps readable."""
        return int(self.act("hold", {"name": name, "lsn": lsn, "ttl_ms": ttl_ms})["lsn"])

    def release(self, name: str) -> None:
        """Give a snapshot lease back."""
        self.act("release", {"name": name})

    def status(self) -> dict[str, Any]:
        """Ask for positions, sizes, readers, holds."""
        return self.act("status", {})

    def checkpoint(self) -> int:
        """Make a checkpoint now; return its LSN."""
        return int(self.act("checkpoint", {})["lsn"])

    # Rows

    def writer(
        self,
        database: str,
        table: str,
        schema: pa.Schema,
        *,
        table_id: int | None = None,
        conflict: str = "update",
        partial: bool = False,
        overwrite: bool = False,
        partition: Mapping[str, str] | None = None,
        name: str = "",
        window: int = WINDOW_DEFAULT,
    ) -> Writer:
        """Open a stream of writes; `schema` is `_op: int8` and columns of the table."""
        head = {
            "database": database,
            "table": table,
            "table_id": table_id,
            "conflict": conflict,
            "partial": partial,
            "overwrite": overwrite,
            "partition": partition,
            "writer": name,
        }
        return Writer(self._routes, encode({"write": head}), schema, window=window)

    def write(
        self, database: str, table: str, rows: pa.RecordBatch | pa.Table, **options: Any
    ) -> list[Ack]:
        """Write rows and wait for the disk; rows without `_op` are upserts. One ack a batch."""
        return write_rows(lambda schema: self.writer(database, table, schema, **options), rows)

    def overwrite(
        self, database: str, table: str, rows: pa.RecordBatch | pa.Table, **options: Any
    ) -> Ack:
        """Replace all rows of a table by others, in one commit: readers see the old or the new.

        Of a partitioned table those of the partitions that get rows, or of one `partition`.
        """
        if isinstance(rows, pa.Table):
            columns = [column.combine_chunks() for column in rows.columns]
            rows = pa.RecordBatch.from_arrays(columns, schema=rows.schema)
        [ack] = self.write(database, table, rows, overwrite=True, **options)
        return ack

    def stage(
        self,
        database: str,
        table: str,
        *,
        name: str | None = None,
        epoch: int = 0,
        sequence: int = 0,
        table_id: int | None = None,
        conflict: str = "update",
        partial: bool = False,
    ) -> Stage:
        """Begin a staged write, or go on with one: rows are kept until its commit shows them.

        A writer that may have to begin again gives a name, and the number of batches that it knows
        to be staged or a higher epoch, which drops what the lower one staged.
        """
        head = {
            "database": database,
            "table": table,
            "table_id": table_id,
            "name": name or str(uuid.uuid4()),
            "epoch": epoch,
            "conflict": conflict,
            "partial": partial,
        }
        return Stage(self._routes, head, sequence)

    def commit_staged(
        self,
        stages: Iterable[tuple[str, int]],
        *,
        overwrite: bool = False,
        partition: Mapping[str, str] | None = None,
    ) -> Ack:
        """Commit stages, as (name, epoch), at one LSN; `overwrite` as `overwrite` does."""
        return commit_staged(self._routes, stages, overwrite=overwrite, partition=partition)

    def abort_staged(self, stages: Iterable[tuple[str, int]]) -> None:
        """Give stages up; those that are gone are left alone."""
        abort_staged(self._routes, stages)

    def transaction(self) -> Transaction:
        """Begin to collect writes to several tables, which are one commit at the end."""
        return Transaction(
            lambda head, schema: Writer(self._routes, encode({"write_all": head}), schema)
        )

    def scan(
        self,
        database: str,
        table: str,
        columns: Sequence[str] | None = None,
        *,
        lsn: int | None = None,
        shard: int | None = None,
        start: int = 0,
        **options: Any,
    ) -> Chunks:
        """Open a snapshot read, resumable at each chunk's `next`."""
        ticket: dict[str, Any] = {"database": database, "table": table, "columns": _list(columns)}
        ticket |= {"lsn": lsn, "shard": shard, "from": start} | options
        return self._begin(Chunks, "scan", ticket, newest=lsn is None)

    def read(self, database: str, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read the whole table as it is now."""
        with self.scan(database, table, columns) as chunks:
            return chunks.to_reader().read_all()

    def changelog(
        self,
        database: str,
        table: str,
        *,
        shard: int = 0,
        start: int | None = None,
        until: int | None = None,
        columns: Sequence[str] | None = None,
        **options: Any,
    ) -> Changes:
        """Subscribe to one shard from an LSN on; None = the oldest that is kept."""
        if start is None:
            start = self.shards(database, table)["shards"][0]["oldest"]  # the same for all
        ticket: dict[str, Any] = {"database": database, "table": table, "columns": _list(columns)}
        ticket |= {"shard": shard, "from": start, "until": until} | options
        return self._begin(Changes, "changelog", ticket, newest=False)

    def sql(
        self,
        query: str,
        database: str | None = None,
        *,
        lsn: int | None = None,
        as_of: datetime | str | None = None,
    ) -> pa.Table:
        """Run a query over the live tables at one LSN: the newest, one named, or that of a time.

        A time without zone is UTC.
        """
        time_us = None if as_of is None else microseconds(as_of)
        ticket = {"query": query, "database": database, "lsn": lsn, "time_us": time_us}
        with self._begin(Chunks, "sql", ticket, newest=lsn is None) as chunks:
            return chunks.to_reader().read_all()

    def lookup(
        self,
        database: str,
        table: str,
        keys: pa.RecordBatch,
        columns: Sequence[str] | None = None,
    ) -> pa.RecordBatch:
        """Find rows by primary key: `RecordBatch[_pos: int32, …]` of the keys that exist."""
        with closing(self.lookups(database, table, keys.schema.names, columns)) as lookups:
            return lookups.find(keys)

    def lookups(
        self,
        database: str,
        table: str,
        keys: Sequence[str],
        columns: Sequence[str] | None = None,
        *,
        table_id: int | None = None,
    ) -> Lookups:
        """Open a stream of look-ups, for more than one batch of keys."""
        head = {"database": database, "table": table, "keys": list(keys), "table_id": table_id}
        return Lookups(self._routes, head | {"columns": _list(columns)})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _begin(self, kind: type[S], what: str, ticket: dict[str, Any], *, newest: bool) -> S:
        """Begin a read where it is best read; `newest`, it must show what this client wrote."""

        def begin(route: Route) -> S:
            wanted = ticket
            if newest and route.at_least is not None:
                wanted = ticket | {"at_least": route.at_least}
            with translated(route.endpoint):
                stream = route.flight.do_get(fl.Ticket(encode({what: wanted})))
            return kind(stream, route.endpoint)

        return self._routes.read(begin)


def _list(columns: Sequence[str] | None) -> list[str] | None:
    return None if columns is None else list(columns)
