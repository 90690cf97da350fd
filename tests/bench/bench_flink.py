"""What the warehouse does under Flink SQL: `bench_flink.py [--rows N] [--only NAME,NAME]`.

Starts a store, a session cluster (one TaskManager, object reuse on) and MySQL in a folder of its
own. N rows of 14 columns, each of N / 2 keys twice, come from a table of the store, since Flink's
own generator is slower than what is measured. Every answer is checked; a wrong one ends the run.
"""

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pymysql

from kit import benchrows
from kit.bench import record
from kit.benchflink import DATABASE, FlinkBench, JobTime, WrongResult
from kit.benchlatency import Arrivals, Times, now_us, paced, percentiles_ms
from kit.tables import make
from sluiceway.jobs.statements import Statement, split
from sluiceway.jobs.store import StoreProcess
from sluiceway.jobs.tutorial import script
from sluiceway.warehouse.client import Client
from sluiceway.warehouse.client.writer import with_op

ROWS = 2_000_000
WARM_ROWS = 200_000
HOP_ROWS, HOP_RATE, HOP_BATCH = 25_000, 1_000, 10
ORDERS, ORDERS_RATE = 1_000, 50
WINDOW = 64

SNAPSHOT = "/*+ OPTIONS('binlog'='false') */"
EARLIEST = "/*+ OPTIONS('source.binlog.startup-mode'='EARLIEST_OFFSET') */"
JOINED = (
    f"FROM (SELECT pay_id, PROCTIME() AS moment FROM feed {SNAPSHOT}) AS f"
    " LEFT JOIN orders FOR SYSTEM_TIME AS OF f.moment AS d ON f.pay_id = d.order_id"
)
PIPELINE = ("0_catalogs.sql", "2_ods.sql", "3_dwd.sql", "4_dws.sql")
ORDER = (
    "INSERT INTO orders VALUES (1000000 + {n}, '{n}', 12345, 1 + {n} % 5, 10.01,"
    " '2023-02-15 12:00:00', '2023-02-15 12:00:00', 1)",
    "INSERT INTO orders_pay VALUES (2000000 + {n}, 1000000 + {n}, 1, '2023-02-15 13:00:00')",
)


def upsert(bench: FlinkBench) -> None:
    """Every row into a table of half as many keys, by one task and by two."""
    bench.need("feed")
    for parallelism in (1, 2):
        _upsert(bench, "warm", f"{SNAPSHOT} WHERE seq < {WARM_ROWS}", parallelism)
        took = _upsert(bench, "written", SNAPSHOT, parallelism)
        name = f"upsert.p{parallelism}"
        answer = bench.client.sql("SELECT COUNT(*), SUM(seq) FROM written", DATABASE)
        found = tuple(int(column[0].as_py()) for column in answer.columns)
        _check(name, found, benchrows.last_pass(bench.rows, bench.keys))
        _note(name, bench.rows, took)
        bench.drop("warm")
        bench.drop("written")


def scan(bench: FlinkBench) -> None:
    """The snapshot of a table of which every row was replaced once, into nowhere."""
    bench.need("orders", "nowhere")
    insert = "INSERT INTO nowhere SELECT * FROM orders"
    bench.timed(insert, mode="batch")
    took = bench.timed(insert, mode="batch")
    found = bench.answer("SELECT COUNT(*), SUM(seq) FROM orders")
    _check("scan", found, benchrows.last_pass(bench.rows, bench.keys))
    _note("scan", bench.keys, took)


def lookup(bench: FlinkBench) -> None:
    """Every row joined with the row of a key at random; a tenth of these do not exist."""
    bench.need("feed", "orders", "nowhere")
    columns = ", ".join(f"d.{name}" for name in benchrows.COLUMNS if name != "order_id")
    insert = f"INSERT INTO nowhere SELECT f.pay_id, {columns} {JOINED}"
    bench.timed(f"{insert} WHERE f.pay_id < {bench.keys // 10}")
    took = bench.timed(insert)
    found = bench.answer(f"SELECT COUNT(*), COUNT(d.seq) {JOINED}")
    _check("lookup", found, (bench.rows, benchrows.hits(bench.rows, bench.keys)))
    _note("lookup", bench.rows, took)


def changelog(bench: FlinkBench) -> None:
    """Inserts, then before and after images of updates, from the first change on."""
    bench.need("orders", "nowhere")
    events = bench.keys + 2 * (bench.rows - bench.keys)
    insert = f"INSERT INTO nowhere SELECT * FROM orders {EARLIEST}"
    bench.followed(insert, events)
    _note("changelog", events, bench.followed(insert, events))


def hop(bench: FlinkBench) -> None:
    """From a write to the copy that a Flink job makes of it, at a steady rate."""
    for table in ("a", "b"):
        bench.create(table, "order_id")
    endpoint = bench.stage.store.endpoint
    with bench.running("INSERT INTO b SELECT * FROM a"), Client(endpoint) as client:
        in_a = Arrivals(client, DATABASE, "a", "seq", HOP_ROWS)
        in_b = Arrivals(client, DATABASE, "b", "seq", HOP_ROWS)
        written_us = _write(client)
        in_a.wait()
        in_b.wait()
    _note_latency("write_to_visible", written_us, in_a.seen_us)
    _note_latency("commit_to_visible", in_a.committed_us, in_a.seen_us)
    _note_latency("hop.write_to_visible", written_us, in_b.seen_us)
    _note_latency("hop.commit_to_visible", in_a.committed_us, in_b.seen_us)


def mysql(bench: FlinkBench) -> None:
    """From MySQL's commit of an order and its payment to its user's row in dws_users."""
    stage = bench.stage
    units = split(script("1_source.mysql.sql"))
    source = [unit.text for unit in units if isinstance(unit, Statement)]
    stage.mysql.run(";".join(s for s in source if s.startswith("CREATE") or "_catalog" in s))
    jobs = [job for name in PIPELINE for job in stage.run(name)]
    for job in jobs:
        stage.cluster.rest.wait_running(job)
    with stage.store.client() as client:
        arrivals = Arrivals(client, "order_dw", "dws_users", "user_id", ORDERS)
        committed_us = _order(str(stage.mysql.socket))
        arrivals.wait()
    for job in jobs:
        stage.cluster.rest.cancel(job)
    _note_latency("mysql_to_dws", committed_us, arrivals.seen_us)


def restart(bench: FlinkBench) -> None:
    """From the start of a process to its first answer; a tenth of a second is not resolved."""
    with StoreProcess(bench.folder / "restart" / "warehouse") as store:
        with store.client() as client:
            make(client, "orders", benchrows.COLUMNS, ["order_id"])
            for batch in benchrows.batches(bench.keys, bench.keys):
                client.write("dw", "orders", batch)
        store.kill()
        record("restart.after_kill", _until_answer(store, bench.keys), "s")
        store.stop()
        record("restart.after_stop", _until_answer(store, bench.keys), "s")
        store.kill()
        with _environment("NUMBA_CACHE_DIR", str(bench.folder / "no-kernels")):
            record("restart.kernels_not_compiled", _until_answer(store, bench.keys), "s")


FIGURES: dict[str, Callable[[FlinkBench], None]] = {
    figure.__name__: figure for figure in (upsert, scan, lookup, changelog, hop, mysql, restart)
}


def _upsert(bench: FlinkBench, table: str, source: str, parallelism: int) -> JobTime:
    bench.create(table, "order_id", shards=parallelism)
    return bench.timed(f"INSERT INTO {table} SELECT * FROM feed {source}", parallelism=parallelism)


def _write(client: Client) -> Times:
    """Write rows into `a` at a steady rate; return when each was due."""
    rows = benchrows.batch(np.arange(HOP_ROWS), HOP_ROWS)
    with client.writer(DATABASE, "a", with_op(rows).schema, window=WINDOW) as writer:

        def send(first: int, count: int) -> None:
            writer.write(with_op(rows.slice(first, count)))

        return paced(HOP_ROWS, HOP_RATE, HOP_BATCH, send)


def _order(socket: str) -> Times:
    """Insert orders with their payments into MySQL; return when each was committed."""
    committed_us: Times = np.zeros(ORDERS, np.int64)
    with pymysql.connect(unix_socket=socket, user="root", database="order_dw") as connection:

        def send(first: int, count: int) -> None:
            with connection.cursor() as cursor:
                for statement in ORDER:
                    cursor.execute(statement.format(n=first))
            connection.commit()
            committed_us[first] = now_us()

        paced(ORDERS, ORDERS_RATE, 1, send)
    return committed_us


def _until_answer(store: StoreProcess, keys: int) -> float:
    """Start a store; return how many seconds pass until it answers for one key."""
    started_s = time.monotonic()
    store.start()
    with store.client() as client:
        query = f"SELECT seq FROM orders WHERE order_id = {benchrows.PRIME % keys}"
        found = client.sql(query, "dw")["seq"].to_pylist()
    took_s = time.monotonic() - started_s
    _check("restart", found, [1])
    return took_s


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


def _note(name: str, rows: int, took: JobTime) -> None:
    """Record rows a second, and what a row cost the store and the TaskManager."""
    record(f"flink.{name}.rows_per_s", rows / took.wall_s, "rows/s")
    record(f"flink.{name}.store_cpu_us_per_row", took.store_cpu_s / rows * 1e6, "us")
    record(f"flink.{name}.task_cpu_us_per_row", took.task_cpu_s / rows * 1e6, "us")


def _note_latency(name: str, from_us: Times, to_us: Times) -> None:
    for part, value in zip(("p50", "p99"), percentiles_ms(from_us, to_us), strict=True):
        record(f"latency.{name}.{part}", value, "ms")


def _check(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise WrongResult(f"{what}: {found} instead of {wanted}")


def main(argv: list[str] | None = None) -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows that move, {ROWS:,}")
    parser.add_argument("--only", default=",".join(FIGURES), help="some of these, by comma")
    arguments = parser.parse_args(argv)
    wanted = arguments.only.split(",")
    if unknown := set(wanted) - set(FIGURES):
        parser.error(f"--only knows {', '.join(FIGURES)}, not {', '.join(unknown)}")
    print(f"{arguments.rows:,} rows, {os.cpu_count()} processors, pipeline.object-reuse true")
    with tempfile.TemporaryDirectory() as folder:
        with FlinkBench(Path(folder), arguments.rows) as bench:
            for name in wanted:
                FIGURES[name](bench)
    del bench
    gc.collect()  # the session's Java objects go before the JVM does


if __name__ == "__main__":
    main()
