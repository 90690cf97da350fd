"""A bank whose total never changes, written by one process and read by others (`bankreader.py`).

    python -m kit.bank DIR SEED     write for ever; prints a line when the bank is open

Each commit moves amounts from accounts of one table to those of the other. Accounts are closed
(their amount goes to another one) and opened again. `version` is an LSN, so it rises with each
write of an account; `text` repeats the number or is NULL; columns come, widen and go, and each
`more_N` is N in every row; values of 16 MiB keep another table busy. No history is kept, so
compaction follows closely what readers hold.
"""

import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kit.workload import column
from sluiceway.catalog import (
    AddColumn,
    CreateDatabase,
    CreateTable,
    DropColumn,
    SetType,
    Table,
    parse_type,
)
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest
from sluiceway.warehouse.kernels.views import Bools, Int64s
from sluiceway.warehouse.requests import Write

DATABASE = "bank"
ACCOUNTS, AMOUNT = 2_000, 100
KINDS = {"whole": "BIGINT", "texts": "STRING"}
ORIENTATIONS = {"whole": "column", "texts": "row,column"}
TOTAL = ACCOUNTS * AMOUNT * len(KINDS)
MORE = "more_"
COLUMNS = ["k", "number", "version", "text"]
BIG_BYTES, BIG_ROWS, BIG_EVERY = 16 << 20, 16, 200
MOVED, ALTER_EVERY, CHECKPOINT_EVERY = 400, 300, 500


def tables() -> list[Table]:
    """A table of accounts for each kind of key, in two shards, and one for big values."""
    made = [
        Table(
            DATABASE,
            name,
            (
                column("k", kind, nullable=False),
                column("number", "BIGINT", nullable=False),
                column("version", "BIGINT", nullable=False),
                column("text", "STRING"),
            ),
            primary_key=("k",),
            options={
                "table_property.shard_count": "2",
                "table_property.orientation": ORIENTATIONS[name],
            },
        )
        for name, kind in KINDS.items()
    ]
    big = (column("k", "BIGINT", nullable=False), column("body", "STRING"))
    return [*made, Table(DATABASE, "big", big, primary_key=("k",))]


def keys_of(table: Table, numbers: Int64s) -> pa.Array:
    """The keys of some accounts, as the table has them."""
    if table.column("k").type.arrow() == pa.int64():
        return pa.array(numbers)
    return pc.binary_join_element_wise("account number", pa.array(numbers).cast(pa.utf8()), " ")


def accounts_of(keys: pa.Array) -> Int64s:
    """The accounts that some keys are of."""
    if keys.type == pa.utf8():
        keys = pc.utf8_slice_codeunits(keys, len("account number ")).cast(pa.int64())
    numbers: Int64s = keys.to_numpy()
    return numbers


def texts_of(numbers: Int64s) -> pa.Array:
    """What `text` says beside these numbers."""
    return pc.if_else(pa.array(numbers % 7 != 0), pa.array(numbers).cast(pa.utf8()), None)


class Writer:
    """Moves amounts until the process is killed."""

    def __init__(self, folder: Path, seed: int) -> None:
        options = ServerOptions(
            data=folder, log_file_bytes=32 << 20, checkpoint_log_bytes=0, history_s=0
        )
        self.warehouse = Warehouse.open(folder, options=options)
        self.random = np.random.default_rng(seed)
        if not self.warehouse.catalog.databases:
            self.warehouse.ddl([CreateDatabase(DATABASE), *map(CreateTable, tables())])
        self.numbers = {name: self._stored(name) for name in KINDS}
        self.big = 0
        if not all(numbers.any() for numbers in self.numbers.values()):
            self.open_all()

    def _stored(self, name: str) -> Int64s:
        """The amounts by account, 0 in one that is closed."""
        snapshot = self.warehouse.snapshot()
        table = snapshot.table(DATABASE, name)
        every = np.arange(ACCOUNTS)
        keys = pa.record_batch([keys_of(table, every)], ["k"])
        found = snapshot.lookup(table, keys, ["number"])
        numbers = np.zeros(ACCOUNTS, np.int64)
        numbers[found.column("_pos").to_numpy()] = found.column("number").to_numpy()
        return numbers

    def run(self) -> None:
        """Write for ever; whoever started this process kills it."""
        print("open", flush=True)
        threading.Thread(target=self.compact, name="compact", daemon=True).start()
        step = 0
        while True:
            step += 1
            self.move()
            if step % ALTER_EVERY == 0:
                self.alter(step)
            if step % BIG_EVERY == 0 and self.big < BIG_ROWS:
                self.write_big(step)
            if step % CHECKPOINT_EVERY == 0:
                self.warehouse.checkpoint()

    def compact(self) -> None:
        """Let no dead row stay."""
        while True:
            self.warehouse.compact()
            time.sleep(0.02)

    def open_all(self) -> None:
        """Give every account its first amount."""
        every, none = np.arange(ACCOUNTS), np.zeros(ACCOUNTS, np.bool_)
        for name in KINDS:
            self.numbers[name] = np.full(ACCOUNTS, AMOUNT)
        self.warehouse.write_all([self._rows(name, every, none) for name in KINDS])

    def move(self) -> None:
        """Move amounts from one table to the other, all of it out of a few, which are closed."""
        source, target = self.random.permutation(list(KINDS)).tolist()
        givers, takers = (self.random.choice(ACCOUNTS, MOVED, replace=False) for _ in range(2))
        amounts = self.numbers[source]
        moved = self.random.integers(1, 50, MOVED)
        closed = self.random.random(MOVED) < 0.1
        moved[closed] = amounts[givers][closed]
        amounts[givers] -= moved
        self.numbers[target][takers] += moved
        opened = np.zeros(MOVED, np.bool_)
        self.warehouse.write_all(
            [self._rows(source, givers, closed), self._rows(target, takers, opened)]
        )

    def _rows(self, name: str, accounts: Int64s, closed: Bools) -> Write:
        numbers = self.numbers[name][accounts]
        table = self.warehouse.catalog.table(DATABASE, name)
        ops = pa.array(3 * closed.astype(np.int8))
        versions = pa.repeat(pa.scalar(self.warehouse.published), len(accounts))
        arrays = [ops, keys_of(table, accounts), pa.array(numbers), versions]
        batch = pa.record_batch([*arrays, texts_of(numbers)], ["_op", *COLUMNS])
        return WriteRequest(DATABASE, name), batch

    def alter(self, step: int) -> None:
        """Change each table of accounts: add a column with a default, widen it, drop it."""
        for name in KINDS:
            *_, last = self.warehouse.catalog.table(DATABASE, name).columns
            if not last.name.startswith(MORE):
                more = column(f"{MORE}{step}", "INT", default=str(step))
                self.warehouse.ddl([AddColumn(DATABASE, name, more)])
            elif last.type == parse_type("INT"):
                self.warehouse.ddl([SetType(DATABASE, name, last.name, parse_type("BIGINT"))])
            else:
                self.warehouse.ddl([DropColumn(DATABASE, name, last.name)])

    def write_big(self, step: int) -> None:
        """Replace one of four big values."""
        self.big += 1
        body = chr(ord("a") + step // BIG_EVERY % 26) * BIG_BYTES
        batch = pa.record_batch({"_op": pa.array([0], pa.int8()), "k": [step % 4], "body": [body]})
        self.warehouse.write(WriteRequest(DATABASE, "big"), batch)


if __name__ == "__main__":
    Writer(Path(sys.argv[1]), int(sys.argv[2])).run()
