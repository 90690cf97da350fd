"""Checks what a reading process sees of the bank of `bank.py`, in every way there is to read.

    python -m kit.bankreader DIR SEED S    check for S seconds; prints how often each check ran

At every LSN the total over both tables is right; no row is torn, none goes back to an older
version; what was seen once at an LSN is seen there again; each change names what was there before.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from kit.bank import (
    ACCOUNTS,
    BIG_BYTES,
    COLUMNS,
    DATABASE,
    KINDS,
    MORE,
    TOTAL,
    accounts_of,
    keys_of,
    texts_of,
)
from kit.marks import visible
from sluiceway.catalog import GoneError, Table, UnavailableError, UserError
from sluiceway.warehouse import Snapshot
from sluiceway.warehouse.kernels.views import Int8s, Int64s
from sluiceway.warehouse.query import run_sql
from sluiceway.warehouse.replica import Replica

START_S = 60.0
CLOSED = -(2**62)


class Reader:
    """Checks one replica in every way there is to read."""

    def __init__(self, replica: Replica, seed: int) -> None:
        self.replica = replica
        self.random = np.random.default_rng(seed)
        self.lsn = self.first_lsn = replica.published
        self.versions = {name: np.zeros(ACCOUNTS, np.int64) for name in KINDS}
        self.kept: list[tuple[Snapshot, dict[str, pa.Table], int]] = []
        self.rounds: dict[str, int] = {}

    def run(self, seconds: float) -> None:
        """Check at random until the time is over."""
        checks: list[Callable[[], None]] = [
            self.look_up, self.scan, self.filter, self.past, self.look_back, self.ask, self.big,
        ]  # fmt: skip
        logs = [self.follow(name, shard) for name in KINDS for shard in range(2)]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            check = checks[self.random.integers(len(checks))]
            born = self.replica.identity.incarnation
            try:
                check()
            except UnavailableError:
                self.wait_for_writer(born)
                continue
            self.count(check.__name__)
            logs[self.random.integers(len(logs))]()
        for _ in range(2):  # a subscriber of each shard sees all of the last cut
            for log in logs:
                log()

    def wait_for_writer(self, born: int) -> None:
        """What was not mapped went with a writer that was killed; the next one has it."""
        self.count("away")
        end = time.monotonic() + START_S
        while self.replica.identity.incarnation == born:
            assert time.monotonic() < end, "files are gone, and no other writer came"
            time.sleep(0.02)
            _ = self.replica.published

    def count(self, check: str) -> None:
        """Take note that a check ran."""
        self.rounds[check] = self.rounds.get(check, 0) + 1

    def snapshot(self) -> Snapshot:
        """The newest snapshot, which is never older than the one before."""
        snapshot = self.replica.snapshot()
        assert snapshot.lsn >= self.lsn, "the published LSN went back"
        self.lsn = snapshot.lsn
        return snapshot

    def look_up(self) -> None:
        """All accounts by key: the total, and no version that is older than one seen before."""
        snapshot, rows = self.snapshot(), []
        for name in KINDS:
            table = snapshot.table(DATABASE, name)
            keys = pa.record_batch([keys_of(table, np.arange(ACCOUNTS))], ["k"])
            found = snapshot.lookup(table, keys, None)
            rows.append(plain(table, pa.Table.from_batches([found])))
            at, versions = found.column("_pos").to_numpy(), found.column("version").to_numpy()
            assert found.column("k").equals(keys.column(0).take(found.column("_pos")))
            assert (versions >= self.versions[name][at]).all(), "a row went back"
            self.versions[name][at] = versions
        check_rows(rows)

    def scan(self) -> None:
        """All rows in birth order; some snapshots are kept for `look_back`."""
        snapshot = self.snapshot()
        rows = {name: self.rows(snapshot, name) for name in KINDS}
        check_rows(list(rows.values()))
        self.kept = [*self.kept[-8:], (snapshot, rows, self.replica.identity.incarnation)]

    def past(self) -> None:
        """The total at any LSN that is kept."""
        while True:
            oldest = max(self.replica.stats().horizon, self.first_lsn)
            lsn = int(self.random.integers(oldest, self.snapshot().lsn + 1))
            try:
                snapshot = self.replica.snapshot(lsn)
            except GoneError:
                continue  # compaction raised the horizon meanwhile
            return check_rows([self.rows(snapshot, name) for name in KINDS])

    def look_back(self) -> None:
        """A snapshot from before shows what it showed."""
        if not self.kept:
            return
        snapshot, rows, born = self.kept[self.random.integers(len(self.kept))]
        seen = {name: self.rows(snapshot, name) for name in KINDS}
        assert seen == rows, "a snapshot changed"
        try:
            again = self.replica.snapshot(snapshot.lsn)
        except GoneError:  # a writer that started since knows no pins of before
            assert self.replica.identity.incarnation != born
        else:
            assert {name: self.rows(again, name) for name in KINDS} == rows, "the past changed"

    def filter(self) -> None:
        """Live buffers with the mark compared."""
        snapshot, rows = self.snapshot(), []
        for name in KINDS:
            batches = snapshot.batches(snapshot.table(DATABASE, name), COLUMNS)
            rows.append(pa.Table.from_batches(visible(batches, snapshot.lsn)))
        check_rows(rows)

    def ask(self) -> None:
        """The total by SQL, of both tables at one LSN."""
        total = " + ".join(f"(SELECT sum(number) FROM {DATABASE}.{table})" for table in KINDS)
        answer = run_sql(self.snapshot(), f"SELECT {total}").read_all()
        assert int(answer.column(0)[0].as_py()) == TOTAL

    def big(self) -> None:
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
                    self.count("caught up")
                    return

        return check

    def rows(self, snapshot: Snapshot, name: str) -> pa.Table:
        """All rows of a table."""
        table = snapshot.table(DATABASE, name)
        return plain(table, pa.Table.from_batches([b for b, _ in snapshot.scan(table, None, None)]))


def plain(table: Table, rows: pa.Table) -> pa.Table:
    """The columns that stay; a column `more_N` of some moment is N in all rows."""
    for column in table.column_names:
        if column.startswith(MORE):
            assert (rows.column(column).to_numpy() == int(column.removeprefix(MORE))).all()
    return rows.select(COLUMNS)


def check_rows(tables: Sequence[pa.Table]) -> None:
    """The total over both tables is right and each text belongs to its number."""
    total = sum(int(rows.column("number").to_numpy().sum()) for rows in tables)
    assert total == TOTAL, f"the total is {total}"
    for rows in tables:
        texts = texts_of(rows.column("number").to_numpy())
        assert rows.column("text").combine_chunks().equals(texts), "a text is torn"


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
    """Read as the command line says."""
    folder, seed, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    replica = attached(folder)
    reader = Reader(replica, seed)
    reader.run(seconds)
    print(json.dumps({**reader.rounds, "incarnation": replica.identity.incarnation}))
    replica.close()


if __name__ == "__main__":
    main()
