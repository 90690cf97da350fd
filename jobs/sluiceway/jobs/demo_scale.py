"""The demo at scale: N generated orders through the same pipeline, sums against MySQL's own.

Half of the orders are in MySQL before the sync starts (full load), the other half is inserted in
small commits while all jobs run (binlog), with every tenth order of the first half changed once
more. A disturbance (`--kill-store`) comes in the middle of that second half, or as soon as the jobs
have begun to read the snapshot.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from sluiceway.catalog import SluicewayError
from sluiceway.jobs.compare import Difference, difference, rows_of
from sluiceway.jobs.stage import Stage
from sluiceway.jobs.statements import Statement, split
from sluiceway.jobs.tutorial import Row, script

_COMMITS = 40  # of the second half
_USERS, _SHOPS, _DAYS = 1_000, 200, 5
_LAYER_S = 300.0

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

_SUMS = """
SELECT {key}, DATE_FORMAT(p.create_time, '%Y%m%d') AS ds, SUM(buy_fee)
FROM orders AS o JOIN orders_pay AS p ON o.order_id = p.order_id GROUP BY 1, 2 ORDER BY 1, 2"""


@dataclass(frozen=True)
class Layer:
    """A query whose answer tells that a layer has everything, and how many rows went through it."""

    name: str
    query: str
    wanted: tuple[Row, ...]
    rows: int


class Scale:
    """The pipeline on so many generated orders."""

    def __init__(self, stage: Stage, orders: int) -> None:
        self.stage = stage
        self.orders = orders
        self.client = stage.store.client()

    def play(
        self,
        *,
        in_the_middle: Callable[[], None] | None = None,
        in_the_snapshot: Callable[[], None] | None = None,
    ) -> None:
        """Run all steps; raise Difference if a layer does not come to hold what MySQL holds."""
        stage, half = self.stage, self.orders // 2
        stage.console.rule(f"1 · Source: {half:,} orders in MySQL")
        self._create_source()
        self._commit(1, half)
        stage.run("0_catalogs.sql")
        stage.console.rule("2 · ODS: full load")
        started_s = time.monotonic()
        stage.run("2_ods.sql")
        self._await_layers(self._ods(), started_s)
        stage.console.rule("3 and 4 · DWD and DWS: a snapshot, then every change")
        started_s = time.monotonic()
        stage.run("3_dwd.sql")
        stage.run("4_dws.sql")
        if in_the_snapshot is None:
            self._await_layers([*self._dwd(), *self._dws()], started_s)
        stage.console.rule(f"{self.orders - half:,} orders more, and changes, while all jobs run")
        started_s = time.monotonic()
        self._second_half(in_the_middle, in_the_snapshot)
        self._await_layers([*self._ods(), *self._dwd(), *self._dws()], started_s)
        stage.say(f"[bold green]{self.orders:,} orders: every sum equals MySQL's own.[/]")

    def kill_store(self) -> None:
        """SIGKILL the store and start it again on its port, as an operator would."""
        self.stage.say("[bold red]kill -9[/] of the store")
        self.stage.store.kill()
        started_s = time.monotonic()
        self.stage.store.start()
        self.stage.say(f"it is back after {time.monotonic() - started_s:.1f} s; the jobs go on")

    def kill_task_manager(self) -> None:
        """SIGKILL the TaskManager, all tasks with it, and start another."""
        self.stage.say("[bold red]kill -9[/] of the TaskManager")
        self.stage.cluster.kill_task_manager()
        self.stage.cluster.start()

    def _create_source(self) -> None:
        units = split(script("1_source.mysql.sql"))
        statements = [unit.text for unit in units if isinstance(unit, Statement)]
        wanted = [s for s in statements if s.startswith("CREATE") or "product_catalog" in s]
        self.stage.mysql.run(";".join(wanted))

    def _second_half(
        self, in_the_middle: Callable[[], None] | None, in_the_snapshot: Callable[[], None] | None
    ) -> None:
        """Commit new orders and changes of old ones; disturb once at the given moment."""
        half = self.orders // 2
        step = max(1, (self.orders - half) // _COMMITS)
        for first in range(half + 1, self.orders + 1, step):
            last = min(first + step - 1, self.orders)
            self._commit(first, last)
            change = _CHANGES.format(first=first - half, last=last - half)
            self.stage.mysql.transaction([change], "order_dw")
            if in_the_snapshot is not None and self._wide_rows() > 0:
                in_the_snapshot()
                in_the_snapshot = None
            if in_the_middle is not None and last >= (half + self.orders) // 2:
                in_the_middle()
                in_the_middle = None
        if in_the_snapshot is not None:
            raise Difference("the jobs had not begun to read when the last order was committed")
        self.stage.say("the last order is committed in MySQL")

    def _commit(self, first: int, last: int) -> None:
        """Insert orders and their payments, each in a commit of its own."""
        for template in (_ORDERS, _PAYMENTS):
            self.stage.mysql.transaction([template.format(first=first, last=last)], "order_dw")

    def _wide_rows(self) -> int:
        found = self._ask("SELECT COUNT(*) FROM order_dw.dwd_orders")
        return 0 if isinstance(found, SluicewayError) else int(found[0][0] or 0)

    def _ods(self) -> list[Layer]:
        layers = []
        for table, sums in (
            ("orders", "SUM(order_id), SUM(buy_fee), SUM(state)"),
            ("orders_pay", "SUM(pay_id), SUM(order_id), SUM(pay_platform)"),
        ):
            wanted = self._exact(f"SELECT COUNT(*), {sums} FROM {table}")
            query = f"SELECT COUNT(*), {sums} FROM order_dw.{table}"
            layers.append(Layer(f"ODS {table}", query, wanted, int(wanted[0][0] or 0)))
        return layers

    def _dwd(self) -> list[Layer]:
        wanted = self._exact(
            "SELECT COUNT(*), SUM(o.order_id), SUM(p.pay_id), SUM(o.buy_fee), SUM(o.state),"
            " SUM(CHAR_LENGTH(c.catalog_name)) FROM orders AS o"
            " JOIN orders_pay AS p ON o.order_id = p.order_id"
            " JOIN product_catalog AS c ON o.product_id = c.product_id"
        )
        query = (
            "SELECT COUNT(*), SUM(order_id), SUM(pay_id), SUM(order_fee), SUM(order_state),"
            " SUM(LENGTH(order_product_catalog_name)) FROM order_dw.dwd_orders"
        )
        return [Layer("DWD dwd_orders", query, wanted, int(wanted[0][0] or 0))]

    def _dws(self) -> list[Layer]:
        orders = int(self._exact("SELECT COUNT(*) FROM orders")[0][0] or 0)
        layers = []
        for table, key in (("dws_users", "user_id"), ("dws_shops", "shop_id")):
            wanted = self._exact(_SUMS.format(key=f"o.{key}"))
            query = f"SELECT {key}, ds, paied_buy_fee_sum FROM order_dw.{table} ORDER BY 1, 2"
            layers.append(Layer(f"DWS {table}", query, wanted, orders))
        return layers

    def _await_layers(self, layers: list[Layer], started_s: float) -> None:
        """Wait until each layer answers right, and say how fast it got there."""
        end = time.monotonic() + _LAYER_S
        for layer in layers:
            while (found := self._ask(layer.query)) != layer.wanted:
                if time.monotonic() >= end:
                    raise Difference(f"{layer.name}: {difference(layer.wanted, found)}")
                time.sleep(0.2)
            elapsed_s = time.monotonic() - started_s
            rate = layer.rows / elapsed_s
            self.stage.say(f"{layer.name}: exact, {layer.rows:,} rows, {rate:,.0f} rows/s")

    def _ask(self, query: str) -> tuple[Row, ...] | SluicewayError:
        try:
            return rows_of(self.client, query)
        except SluicewayError as error:  # the table is not there yet, or the store is away
            return error

    def _exact(self, query: str) -> tuple[Row, ...]:
        """Return MySQL's own answer, as text."""
        answer = self.stage.mysql.query(query, "order_dw")
        return tuple(tuple(None if v is None else _plain(v) for v in row) for row in answer)


def _plain(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
