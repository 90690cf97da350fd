"""The demo: the tutorial's five steps on a real MySQL server, every answer checked.

    MySQL ──► ODS orders, orders_pay, product_catalog   the whole database, synced by Debezium
          ──► DWD dwd_orders                            partial INSERTs and a look-up join
          ──► DWS dws_users, dws_shops                  sums of the changelog

Each layer is a table of the same store: asked while it flows, compared with what it must hold.
"""

import shutil
import sys
import time
from pathlib import Path

from rich.console import Console

from sluiceway.catalog import SluicewayError, UserError
from sluiceway.jobs import tutorial
from sluiceway.jobs.compare import Difference, as_text, await_answer, difference, rows_of, show
from sluiceway.jobs.demo_scale import Scale
from sluiceway.jobs.session import rows
from sluiceway.jobs.stage import Stage
from sluiceway.jobs.statements import Statement, split
from sluiceway.jobs.tutorial import Check, Row, script
from sluiceway.jobs.waiting import wait_for, wait_until
from sluiceway.warehouse.client import Client

_LAYER_S = 90.0
_DISK_BYTES = 2 << 30
_MARK = "explore> "


def run_demo(
    *, keep: bool, scale: int | None, kill_store: bool, apt: bool, folder: Path | None
) -> int:
    """Run the demo and return the exit code: 0 only if every answer was right."""
    console = Console(highlight=False)
    try:
        check_machine(folder or Path.cwd())
        if kill_store and scale is None:
            raise UserError("--kill-store goes with --scale N")
        with Stage(folder, console, apt=apt) as stage:
            if scale is None:
                play(stage)
            else:
                pipeline = Scale(stage, scale)
                pipeline.play(in_the_middle=pipeline.kill_store if kill_store else None)
            if keep:
                stay(stage)
        return 0
    except KeyboardInterrupt:
        console.print("stopped")
        return 0 if keep else 130
    except SluicewayError as error:
        console.print(f"[bold red]✗[/] [{error.sqlstate}] {error}", markup=True, soft_wrap=True)
        return error.exit_code


def check_machine(folder: Path) -> None:
    """Name every reason at once why the demo cannot run here."""
    problems: list[str] = []
    if sys.platform != "linux":
        problems.append(f"the demo runs on Linux, not on {sys.platform}")
    if shutil.which("java") is None:
        problems.append("java is not on the PATH: install a JDK, version 17")
    if not Path("/dev/shm").is_dir():
        problems.append("/dev/shm is missing: mount a tmpfs there")
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if shutil.disk_usage(there).free < _DISK_BYTES:
        problems.append(f"{_DISK_BYTES >> 30} GB of disk are needed in {there}")
    try:
        import pyflink  # noqa: F401
    except ImportError:
        problems.append("PyFlink is missing: pip install 'sluiceway[flink]'")
    if problems:
        raise UserError("; ".join(problems))


def play(stage: Stage) -> None:
    """Run the tutorial."""
    with stage.store.client() as client:
        _source(stage)
        _layers(stage, client)
        _serve_and_explore(stage, client)
        _later_order(stage, client)
    stage.say("[bold green]All answers are right.[/]")


def _source(stage: Stage) -> None:
    stage.console.rule("1 · Source: MySQL")
    stage.mysql.run(script("1_source.mysql.sql"))
    counts = stage.mysql.query(
        "SELECT (SELECT COUNT(*) FROM orders), (SELECT COUNT(*) FROM orders_pay),"
        " (SELECT COUNT(*) FROM product_catalog)",
        "order_dw",
    )
    stage.say("database order_dw: {} orders, {} payments, {} products".format(*counts[0]))
    stage.run("0_catalogs.sql")


def _layers(stage: Stage, client: Client) -> None:
    stage.console.rule("2 · ODS: the whole database, synced")
    stage.run("2_ods.sql")
    _expect(stage, client, tutorial.ods(later=False))
    stage.console.rule("3 · DWD: one wide row an order, by partial updates")
    stage.run("3_dwd.sql")
    _expect(stage, client, [tutorial.dwd(later=False)])
    stage.console.rule("4 · DWS: sums of the changelog")
    stage.run("4_dws.sql")
    _expect(stage, client, tutorial.dws(later=False))


def _serve_and_explore(stage: Stage, client: Client) -> None:
    stage.console.rule("5 · Serving and exploring")
    _expect(stage, client, tutorial.serving(later=False))
    _explore_batch(stage)
    _explore_stream(stage)


def _explore_batch(stage: Stage) -> None:
    session = stage.runner.session
    session.execute_sql("SET 'execution.runtime-mode' = 'batch'")
    (query,) = (u.text for u in split(script("5_explore_batch.sql")) if isinstance(u, Statement))
    found = sorted(as_text(rows(session.execute_sql(query))), key=str)
    session.execute_sql("RESET 'execution.runtime-mode'")
    wanted = [(r[0], r[4], r[5], r[6], r[10]) for r in tutorial.explored(after="12:00:00")]
    if found != wanted:
        raise Difference(f"batch exploration: {difference(wanted, found)}")
    stage.say(f"batch: a snapshot read by Flink, filtered: orders {_keys(found)} ✓")


def _explore_stream(stage: Stage) -> None:
    (job,) = stage.run("5_explore_stream.sql")
    wanted = tutorial.explored()
    wait_until(
        "the stream exploration showing three orders",
        lambda: printed_rows(stage.cluster.task_output()) == wanted,
        deadline_s=_LAYER_S,
        hint=lambda: difference(wanted, printed_rows(stage.cluster.task_output())),
    )
    stage.cluster.rest.cancel(job)
    stage.say(f"stream: every change since a moment, as it happens: orders {_keys(wanted)} ✓")


def printed_rows(output: str) -> list[Row]:
    """Return the newest row of each key that a sink of type `print` has shown, by key."""
    newest: dict[str, Row] = {}
    for line in output.splitlines():
        mark, _, change = line.partition(_MARK)
        if not _ or mark.strip() not in ("", "1"):
            continue
        kind, values = change[:2], change[3:-1].split(", ")
        if kind in ("+I", "+U"):
            newest[values[0]] = tuple(
                None if v == "null" else v.replace("T", " ") if v[:2] == "20" else v for v in values
            )
        elif kind == "-D":
            newest.pop(values[0], None)
    return [newest[key] for key in sorted(newest)]


def _later_order(stage: Stage, client: Client) -> None:
    stage.console.rule("Now an order more, in MySQL")
    sums = "SELECT paied_buy_fee_sum FROM order_dw.dws_users WHERE user_id = 'user_003' AND ds = "
    sums += f"'{tutorial.DAY}'"
    stage.mysql.run(script("6_later_order.mysql.sql"))
    committed_s = time.monotonic()
    wait_for(
        "order 100008 in dws_users",
        lambda: rows_of(client, sums) == (("11000.07",),) or None,
        deadline_s=_LAYER_S,
        interval_s=0.002,
        hint=lambda: f"user_003 has {rows_of(client, sums)}",
    )
    elapsed_ms = (time.monotonic() - committed_s) * 1000
    stage.say(f"[bold]{elapsed_ms:.0f} ms[/] from MySQL's commit to dws_users, through four tables")
    _expect(stage, client, tutorial.layers(later=True)[3:])
    for check in [*tutorial.layers(later=True), *tutorial.serving(later=True)]:
        await_answer(client, check, deadline_s=_LAYER_S)


def _expect(stage: Stage, client: Client, checks: list[Check]) -> None:
    """Wait for each answer, then show it."""
    for check in checks:
        answer = await_answer(client, check, deadline_s=_LAYER_S)
        show(stage.console, client, check, answer)
    stage.say(", ".join(check.title for check in checks) + ": right")


def _keys(found: list[Row]) -> str:
    return ", ".join(str(row[0]) for row in found)


def stay(stage: Stage) -> None:
    """Say where everything is, and wait for Ctrl-C."""
    stage.console.rule("Everything stays up until Ctrl-C")
    data = stage.store.data
    stage.console.print(
        f"store   sluiceway sql --data {data} 'SELECT * FROM order_dw.dws_users'\n"
        f"Flink   http://{stage.cluster.address}\n"
        f"MySQL   mysql -h 127.0.0.1 -P {stage.mysql.port} -u flink -pflink order_dw\n"
        f"        (as root: --socket {stage.mysql.socket})",
        soft_wrap=True,
    )
    while True:
        time.sleep(3600)
