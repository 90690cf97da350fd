"""The demo at scale: N generated orders through the same pipeline, sums against MySQL's own.

Half of the orders are in MySQL before the sync starts (full load), the other half is inserted in
commits of some thousand while all jobs run (binlog), with every tenth order changed once more.
`--kill-store` kills the store in the middle of that second half.
"""

import time
from dataclasses import dataclass
from decimal import Decimal

from sluiceway.catalog import SluicewayError
from sluiceway.jobs.compare import Difference, difference, rows_of
from sluiceway.jobs.stage import Stage
from sluiceway.jobs.statements import Statement, split
from sluiceway.jobs.tutorial import Row, script
from sluiceway.warehouse.client import Client

_COMMIT_ROWS = 5_000
_USERS, _SHOPS, _DAYS = 1_000, 200, 5
_QUIET_S = 300.0

_ORDERS = f"""
INSERT INTO orders SELECT 1000000 + seq, CONCAT('user_', LPAD(seq * 7919 % {_USERS}, 5, '0')),
  10000 + seq * 104729 % {_SHOPS}, 1 + seq % 5, seq % 100000 / 100 + 1,
  '2023-02-15 00:00:00' + INTERVAL seq % 86400 SECOND, '2023-02-15 18:42:56', 1
FROM seq_{{first}}_to_{{last}}"""
_PAYMENTS = f"""
INSERT INTO orders_pay SELECT 2000000 + seq, 1000000 + seq, seq % 2,
  '2023-02-15 01:00:00' + INTERVAL seq % {_DAYS} DAY
FROM seq_{{first}}_to_{{last}}"""
_CHANGES = """
UPDATE orders SET buy_fee = buy_fee + 1, state = 2
WHERE order_id BETWEEN 1000000 + {first} AND 1000000 + {last} AND order_id % 10 = 0"""

_MYSQL_SUMS = """
SELECT {key}, DATE_FORMAT(p.create_time, '%Y%m%d') AS ds, SUM(buy_fee)
FROM orders AS o JOIN orders_pay AS p ON o.order_id = p.order_id GROUP BY 1, 2 ORDER BY 1, 2"""


@dataclass(frozen=True)
class Layer:
    """A question whose answer tells that a layer has everything, and a cheap one for progress."""

    name: str
    done: str
    wanted: tuple[Row, ...]
    rows: int


def play_scale(stage: Stage, orders: int, *, kill_store: bool) -> None:
    """Run the pipeline on so many generated orders."""
    half = orders // 2
    with stage.store.client() as client:
        stage.console.rule(f"1 · Source: {half:,} orders in MySQL")
        _prepare(stage)
        _fill(stage, 1, half)
        stage.run("0_catalogs.sql")
        stage.console.rule("2 · ODS: full load")
        started_s = time.monotonic()
        stage.run("2_ods.sql")
        _await_layers(stage, client, _ods(stage), started_s)
        stage.console.rule("3 and 4 · DWD and DWS, from a snapshot on")
        started_s = time.monotonic()
        stage.run("3_dwd.sql")
        stage.run("4_dws.sql")
        stage.console.rule(f"{orders - half:,} orders more, and changes, while all jobs run")
        _fill(stage, half + 1, orders, change_from=1, kill_store=kill_store)
        layers = [*_ods(stage), *_dwd(stage), *_dws(stage)]
        _await_layers(stage, client, layers, started_s)
    stage.say(f"[bold green]{orders:,} orders: every sum equals MySQL's own.[/]")


def _prepare(stage: Stage) -> None:
    statements = [u.text for u in split(script("1_source.mysql.sql")) if isinstance(u, Statement)]
    wanted = [s for s in statements if s.startswith("CREATE") or "product_catalog" in s]
    stage.mysql.run(";".join(wanted))


def _fill(
    stage: Stage, first: int, last: int, *, change_from: int = 0, kill_store: bool = False
) -> None:
    """Insert orders and their payments commit by commit, and change older orders on the way."""
    middle = (first + last) // 2
    killed = not kill_store
    for start in range(first, last + 1, _COMMIT_ROWS):
        end = min(start + _COMMIT_ROWS - 1, last)
        stage.mysql.transaction([_ORDERS.format(first=start, last=end)], "order_dw")
        stage.mysql.transaction([_PAYMENTS.format(first=start, last=end)], "order_dw")
        if change_from:
            change_to = change_from + _COMMIT_ROWS - 1
            stage.mysql.transaction(
                [_CHANGES.format(first=change_from, last=change_to)], "order_dw"
            )
            change_from = change_to + 1
        if not killed and end >= middle:
            killed = True
            kill_and_restart(stage)
    stage.say(f"orders {first:,} to {last:,} are committed in MySQL")


def kill_and_restart(stage: Stage) -> None:
    """SIGKILL the store and start it again on its port, as an operator would."""
    stage.say("[bold red]kill -9[/] of the store")
    stage.store.kill()
    started_s = time.monotonic()
    stage.store.start()
    stage.say(f"the store is back after {time.monotonic() - started_s:.1f} s; the jobs go on")


def _ods(stage: Stage) -> list[Layer]:
    ask = "SELECT COUNT(*), SUM({key}), SUM({value}) FROM {table}"
    found = []
    for table, key, value in (("orders", "order_id", "buy_fee"), ("orders_pay", "pay_id", "1")):
        query = ask.format(key=key, value=value, table=table)
        wanted = _exact(stage, query)
        done = query.replace(f"FROM {table}", f"FROM order_dw.{table}")
        found.append(Layer(f"ODS {table}", done, wanted, int(wanted[0][0] or 0)))
    return found


def _dwd(stage: Stage) -> list[Layer]:
    wanted = _exact(
        stage,
        "SELECT COUNT(*), SUM(o.order_id), SUM(p.pay_id), SUM(o.buy_fee), SUM(o.state),"
        " SUM(CHAR_LENGTH(c.catalog_name)) FROM orders AS o"
        " JOIN orders_pay AS p ON o.order_id = p.order_id"
        " JOIN product_catalog AS c ON o.product_id = c.product_id",
    )
    done = (
        "SELECT COUNT(*), SUM(order_id), SUM(pay_id), SUM(order_fee), SUM(order_state),"
        " SUM(LENGTH(order_product_catalog_name)) FROM order_dw.dwd_orders"
    )
    return [Layer("DWD dwd_orders", done, wanted, int(wanted[0][0] or 0))]


def _dws(stage: Stage) -> list[Layer]:
    orders = int(_exact(stage, "SELECT COUNT(*) FROM orders")[0][0] or 0)
    layers = []
    for table, key, source in (
        ("dws_users", "user_id", "o.user_id"),
        ("dws_shops", "shop_id", "o.shop_id"),
    ):
        wanted = _exact(stage, _MYSQL_SUMS.format(key=source))
        done = f"SELECT {key}, ds, paied_buy_fee_sum FROM order_dw.{table} ORDER BY 1, 2"
        layers.append(Layer(f"DWS {table}", done, wanted, orders))
    return layers


def _await_layers(stage: Stage, client: Client, layers: list[Layer], started_s: float) -> None:
    """Wait until each layer answers right, and say how fast it got there."""
    pending = list(layers)
    end = time.monotonic() + _QUIET_S
    while pending:
        layer = pending[0]
        found = _ask(client, layer.done)
        if found == layer.wanted:
            elapsed_s = time.monotonic() - started_s
            stage.say(f"{layer.name}: exact, {layer.rows / elapsed_s:,.0f} rows/s")
            pending.pop(0)
        elif time.monotonic() >= end:
            raise Difference(f"{layer.name}: {difference(layer.wanted, found)}")
        else:
            time.sleep(0.2)


def _ask(client: Client, query: str) -> tuple[Row, ...] | SluicewayError:
    try:
        return rows_of(client, query)
    except SluicewayError as error:
        return error


def _exact(stage: Stage, query: str) -> tuple[Row, ...]:
    """Return MySQL's own answer, as text."""
    answer = stage.mysql.query(query, "order_dw")
    return tuple(tuple(None if v is None else _plain(v) for v in row) for row in answer)


def _plain(value: object) -> str:
    """Return a sum as the store writes it: whole numbers have no fraction in either."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
