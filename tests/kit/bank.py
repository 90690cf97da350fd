"""A bank whose total never changes, written by one process and checked by others at every LSN.

    python -m kit.bank write DIR SEED     write for ever
    python -m kit.bank read DIR SEED S    check for S seconds; prints how often each check ran

Each commit moves amounts between accounts of one table. Accounts are closed (their amount goes to
another one) and opened again. `version` is an LSN, so it rises with each write of an account;
`text` repeats the number or is NULL; columns come and go, and values of 16 MiB keep another table
busy. No history is kept, so compaction follows closely what readers hold.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
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
    GoneError,
    Table,
    UnavailableError,
    UserError,
)
from sluiceway.warehouse import ServerOptions, Snapshot, Warehouse, WriteRequest
from sluiceway.warehouse.kernels.views import Bools, Int8s, Int64s
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.replica import Replica

DATABASE = "bank"
ACCOUNTS, AMOUNT = 2_000, 100
TOTAL = ACCOUNTS * AMOUNT
KINDS = {"whole": "BIGINT", "texts": "STRING"}
COLUMNS = ["k", "number", "version", "text"]
BIG_BYTES, BIG_ROWS, BIG_EVERY = 16 << 20, 16, 200
MOVED, ALTER_EVERY, CHECKPOINT_EVERY = 400, 300, 500
START_S = 60.0
CLOSED = -(2**62)


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
            options={"table_property.shard_count": "2"},
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

    def _stored(self, name: str) -> Int64s:
        """The amounts by account, 0 in one that is closed; a new bank opens them all."""
        snapshot = self.warehouse.snapshot()
        table = snapshot.table(DATABASE, name)
        every = np.arange(ACCOUNTS)
        keys = pa.record_batch([keys_of(table, every)], ["k"])
        found = snapshot.lookup(table, keys, ["number"])
        if found.num_rows == 0:
            numbers = np.full(ACCOUNTS, AMOUNT)
            self._write(name, every, numbers, np.zeros(ACCOUNTS, np.bool_))
            return numbers
        numbers = np.zeros(ACCOUNTS, np.int64)
        numbers[found.column("_pos").to_numpy()] = found.column("number").to_numpy()
        return numbers

    def run(self) -> None:
        """Write for ever; whoever started this process kills it."""
        threading.Thread(target=self.compact, name="compact", daemon=True).start()
        step = 0
        while True:
            step += 1
            for name in KINDS:
                self.move(name)
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

    def move(self, name: str) -> None:
        """Move amounts between accounts, all of it out of a few, which are closed."""
        numbers = self.numbers[name]
        chosen = self.random.choice(ACCOUNTS, MOVED, replace=False)
        half = MOVED // 2
        moved = self.random.integers(1, 50, half)
        closed = self.random.random(half) < 0.1
        moved[closed] = numbers[chosen[:half]][closed]
        numbers[chosen[:half]] -= moved
        numbers[chosen[half:]] += moved
        ended = np.append(closed, np.zeros(half, np.bool_))
        self._write(name, chosen, numbers[chosen], ended)

    def _write(self, name: str, accounts: Int64s, numbers: Int64s, closed: Bools) -> None:
        table = self.warehouse.catalog.table(DATABASE, name)
        ops = pa.array(3 * closed.astype(np.int8))
        versions = pa.repeat(pa.scalar(self.warehouse.published), len(accounts))
        arrays = [ops, keys_of(table, accounts), pa.array(numbers), versions]
        batch = pa.record_batch([*arrays, texts_of(numbers)], ["_op", *COLUMNS])
        self.warehouse.write(WriteRequest(DATABASE, name), batch)

    def alter(self, step: int) -> None:
        """Add a column with a default to each table of accounts, or drop the one that is there."""
        for name in KINDS:
            names = self.warehouse.catalog.table(DATABASE, name).column_names
            if len(names) > len(COLUMNS):
                self.warehouse.ddl([DropColumn(DATABASE, name, names[-1])])
            else:
                more = column(f"more_{step}", "INT", default=str(step))
                self.warehouse.ddl([AddColumn(DATABASE, name, more)])

    def write_big(self, step: int) -> None:
        """Replace one of four big values."""
        self.big += 1
        body = chr(ord("a") + step // BIG_EVERY % 26) * BIG_BYTES
        batch = pa.record_batch({"_op": pa.array([0], pa.int8()), "k": [step % 4], "body": [body]})
        self.warehouse.write(WriteRequest(DATABASE, "big"), batch)


class Reader:
    """Checks one replica in every way there is to read."""

    def __init__(self, replica: Replica, seed: int) -> None:
        self.replica = replica
        self.random = np.random.default_rng(seed)
        self.lsn = 0
        self.versions = {name: np.zeros(ACCOUNTS, np.int64) for name in KINDS}
        self.kept: list[tuple[Snapshot, str, pa.Table, int]] = []
        self.rounds: dict[str, int] = {}

    def run(self, seconds: float) -> None:
        """Check at random until the time is over."""
        checks = [self.look_up, self.scan, self.filter, self.look_back, self.ask, self.big]
        logs = [self.follow(name, shard) for name in KINDS for shard in range(2)]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            name = str(self.random.choice(list(KINDS)))
            check: Callable[[str], None] = checks[self.random.integers(len(checks))]
            check(name)
            self.rounds[check.__name__] = self.rounds.get(check.__name__, 0) + 1
            logs[self.random.integers(len(logs))]()
        for _ in range(2):  # a subscriber of each shard sees all of the last cut
            for log in logs:
                log()

    def snapshot(self) -> Snapshot:
        """The newest snapshot, which is never older than the one before."""
        snapshot = self.replica.snapshot()
        assert snapshot.lsn >= self.lsn, "the published LSN went back"
        self.lsn = snapshot.lsn
        return snapshot

    def look_up(self, name: str) -> None:
        """All accounts by key: the total, and no version that is older than one seen before."""
        snapshot = self.snapshot()
        table = snapshot.table(DATABASE, name)
        keys = pa.record_batch([keys_of(table, np.arange(ACCOUNTS))], ["k"])
        found = snapshot.lookup(table, keys, COLUMNS)
        self.check_rows(pa.Table.from_batches([found.select(COLUMNS)]))
        at, versions = found.column("_pos").to_numpy(), found.column("version").to_numpy()
        assert found.column("k").equals(keys.column(0).take(found.column("_pos")))
        assert (versions >= self.versions[name][at]).all(), "a row went back to an older version"
        self.versions[name][at] = versions

    def scan(self, name: str) -> None:
        """All rows in birth order; some snapshots are kept for `look_back`."""
        snapshot = self.snapshot()
        rows = self.rows(snapshot, name)
        self.check_rows(rows)
        incarnation = self.replica.identity.incarnation
        self.kept = [*self.kept[-8:], (snapshot, name, rows, incarnation)]

    def look_back(self, name: str) -> None:
        """A snapshot from before shows what it showed."""
        if self.kept:
            snapshot, kept, rows, born = self.kept[self.random.integers(len(self.kept))]
            assert self.rows(snapshot, kept).equals(rows), "a snapshot changed"
            try:
                again = self.replica.snapshot(snapshot.lsn)
            except GoneError:  # a writer that started since knows no pins of before
                assert self.replica.identity.incarnation != born
            else:
                assert self.rows(again, kept).equals(rows), "the past changed"

    def filter(self, name: str) -> None:
        """Live buffers with the mark compared."""
        snapshot = self.snapshot()
        batches = snapshot.batches(snapshot.table(DATABASE, name), COLUMNS)
        whole = pa.Table.from_batches(batches)
        alive = whole.column("_mark").to_numpy() < 2**63 - 1 - snapshot.lsn
        self.check_rows(whole.filter(pa.array(alive)).select(COLUMNS))

    def ask(self, name: str) -> None:
        """The total by SQL, of both tables at one LSN."""
        totals = [f"(SELECT sum(number) FROM {DATABASE}.{table})" for table in KINDS]
        answer = run_sql(self.snapshot(), f"SELECT {', '.join(totals)}").read_all()
        assert [int(c[0].as_py()) for c in answer.columns] == [TOTAL] * len(KINDS)

    def big(self, name: str) -> None:
        """Big values are of one letter from end to end."""
        snapshot = self.snapshot()
        table = snapshot.table(DATABASE, "big")
        keys = pa.record_batch({"k": pa.array(range(4), pa.int64())})
        for body in snapshot.lookup(table, keys, ["body"]).column("body"):
            data = np.frombuffer(body.as_buffer(), np.uint8)
            assert len(data) == BIG_BYTES and (data == data[0]).all()

    def follow(self, name: str, shard: int) -> Callable[[], None]:
        """A subscription of one shard, which finds in each event what the one before left."""
        numbers = np.full(ACCOUNTS, CLOSED, np.int64)
        columns = ["k", "number"]
        table = self.replica.catalog.table(DATABASE, name)
        log = self.replica.changelog(table, shard, 1, columns=columns)

        def check() -> None:
            nonlocal log
            for _ in range(20):
                change = log.read(0.0)
                codes, _, _, keys, after = change.batch.columns
                if len(codes):
                    check_events(numbers, codes.to_numpy(), accounts_of(keys), after.to_numpy())
                if change.schema_changed:
                    fresh = self.replica.catalog.table(DATABASE, name)
                    log = self.replica.changelog(fresh, shard, change.next, columns=columns)
                elif not len(codes):
                    self.rounds["caught up"] = self.rounds.get("caught up", 0) + 1
                    return

        return check

    def rows(self, snapshot: Snapshot, name: str) -> pa.Table:
        """All rows of a table."""
        table = snapshot.table(DATABASE, name)
        batches = [batch for batch, _ in snapshot.scan(table, None, COLUMNS)]
        return pa.Table.from_batches(batches)

    def check_rows(self, rows: pa.Table) -> None:
        """The total is right and each text belongs to its number."""
        numbers = rows.column("number").to_numpy()
        assert numbers.sum() == TOTAL, f"the total is {numbers.sum()}"
        assert rows.column("text").combine_chunks().equals(texts_of(numbers)), "a text is torn"


def check_events(numbers: Int64s, codes: Int8s, accounts: Int64s, values: Int64s) -> None:
    """Check that each before image is what was there; `numbers` is what is there, by account."""
    order = np.argsort(accounts, kind="stable")
    codes, accounts, values = codes[order], accounts[order], values[order]
    first = np.append(True, accounts[1:] != accounts[:-1])
    left = np.where(codes == 2, CLOSED, values)
    found = np.append(0, left[:-1])
    found[first] = numbers[accounts[first]]
    assert (found == values)[(codes == 2) | (codes == 3)].all(), "a before image is not the row"
    assert (found == CLOSED)[codes == 5].all(), "an insert of a row that was there"
    assert (found != CLOSED)[codes == 7].all(), "an update of a row that was not there"
    last = np.append(first[1:], True)
    numbers[accounts[last]] = left[last]


def attached(folder: Path) -> Replica:
    """A replica of a warehouse that is being opened and filled."""
    end = time.monotonic() + START_S
    while True:
        try:
            replica = Replica.open(folder)
            if replica.catalog.databases and all(_rows(replica, name) for name in KINDS):
                return replica
            replica.close()
        except (UnavailableError, UserError):
            pass
        assert time.monotonic() < end, "the bank did not open"
        time.sleep(0.02)


def _rows(replica: Replica, name: str) -> bool:
    snapshot = replica.snapshot()
    return any(True for _ in snapshot.scan(snapshot.table(DATABASE, name), None, ["k"]))


def main() -> None:
    """Write or read, as the command line says."""
    what, folder, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if what == "write":
        Writer(folder, seed).run()
    replica = attached(folder)
    reader = Reader(replica, seed)
    reader.run(float(sys.argv[4]))
    print(json.dumps({**reader.rounds, "incarnation": replica.identity.incarnation}))
    replica.close()


if __name__ == "__main__":
    main()
