"""The catalog from Flink SQL: DDL, options, errors. Nothing here starts a job."""

from collections.abc import Iterator
from typing import Any

import pytest

from kit.server import ServerProcess
from sluiceway.catalog import SluicewayError, UserError
from sluiceway.jobs.session import Session, SessionOptions, rows

pytestmark = [pytest.mark.flink, pytest.mark.slow]

DATABASE = "order_dw"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("catalog") / "data")
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="module")
def shared(server: ServerProcess) -> Session:
    """A session with the catalogs `root`, without defaults, and `dw`, the tutorial's."""
    session = Session(SessionOptions())
    session.execute_sql(create_catalog("root", server))
    session.execute_sql(f"CREATE DATABASE root.{DATABASE} COMMENT 'orders'")
    options = {
        "dbname": f"{DATABASE}@init_warehouse",
        "username": "BASIC$flinktest",
        "password": "secret",
        "binlog": "true",
        "sdkMode": "jdbc",
        "cdcmode": "true",
        "connectionpoolname": "the_conn_pool",
        "ignoredelete": "true",
        "partial-insert.enabled": "true",
        "mutateType": "insertOrUpdate",
        "table_property.binlog.level": "replica",
        "table_property.binlog.ttl": "259200",
    }
    session.execute_sql(create_catalog("dw", server, kind="hologres", **options))
    return session


@pytest.fixture
def session(shared: Session) -> Session:
    """The shared session, at home in `dw.order_dw` and without tables."""
    shared.execute_sql("USE CATALOG dw")
    shared.execute_sql(f"USE {DATABASE}")
    for (name,) in ask(shared, "SHOW TABLES"):
        shared.execute_sql(f"DROP TABLE `{name}`")
    return shared


def create_catalog(name: str, server: ServerProcess, kind: str = "sluiceway", **more: str) -> str:
    address = server.endpoint.removeprefix("grpc://")
    options = {"type": kind, "endpoint": address, **more}
    pairs = ", ".join(f"'{key}' = '{value}'" for key, value in options.items())
    return f"CREATE CATALOG {name} WITH ({pairs})"


def ask(session: Session, statement: str) -> list[tuple[Any, ...]]:
    return rows(session.execute_sql(statement))


def refusal(session: Session, statement: str, kind: type[SluicewayError] = UserError) -> str:
    with pytest.raises(kind) as refused:
        session.execute_sql(statement)
    return refused.value.message


ORDERS = """
CREATE TABLE orders (
  order_id BIGINT NOT NULL COMMENT 'the key',
  buy_fee DECIMAL(20, 2),
  create_time TIMESTAMP(6),
  tags ARRAY<STRING>,
  PRIMARY KEY (order_id) NOT ENFORCED
) COMMENT 'what was bought' WITH ('sink.parallelism' = '2')
"""


def test_databases_come_and_go(session: Session) -> None:
    session.execute_sql("CREATE DATABASE root.scratch")
    assert ask(session, "SHOW DATABASES IN root") == [("default",), (DATABASE,), ("scratch",)]
    assert "'scratch' exists" in refusal(session, "CREATE DATABASE root.scratch", SluicewayError)
    session.execute_sql("CREATE DATABASE IF NOT EXISTS root.scratch")
    session.execute_sql("CREATE TABLE root.scratch.t (id INT)")
    assert "has tables (t)" in refusal(
        session, "DROP DATABASE root.scratch RESTRICT", SluicewayError
    )
    session.execute_sql("DROP DATABASE root.scratch CASCADE")
    assert ask(session, "SHOW DATABASES IN root") == [("default",), (DATABASE,)]


def test_a_table_is_described_as_it_was_declared(session: Session) -> None:
    session.execute_sql(ORDERS)
    assert ask(session, "SHOW TABLES") == [("orders",)]
    described = [(row[0], row[1], row[2], row[-1]) for row in ask(session, "DESCRIBE orders")]
    assert described == [
        ("order_id", "BIGINT", False, "the key"),
        ("buy_fee", "DECIMAL(20, 2)", True, None),
        ("create_time", "TIMESTAMP(6)", True, None),
        ("tags", "ARRAY<STRING>", True, None),
    ]
    ((shown,),) = ask(session, "SHOW CREATE TABLE orders")
    assert "COMMENT 'what was bought'" in shown
    assert "PRIMARY KEY (`order_id`) NOT ENFORCED" in shown


def test_options_of_catalog_and_table_are_shown_under_one_name(session: Session) -> None:
    session.execute_sql(ORDERS)
    ((shown,),) = ask(session, "SHOW CREATE TABLE orders")
    for pair in (
        "'sink.delete-strategy' = 'IGNORE_DELETE'",
        "'source.binlog' = 'true'",
        "'sink.parallelism' = '2'",
        "'table_property.binlog.ttl' = '259200'",
        "'connector' = 'hologres'",
    ):
        assert pair in shown
    assert "ignoredelete" not in shown
    assert "secret" not in shown


def test_only_what_the_table_says_is_stored(session: Session, server: ServerProcess) -> None:
    session.execute_sql(ORDERS)
    session.execute_sql("CREATE TABLE more LIKE orders")
    with server.client() as client:
        first, second = client.table(DATABASE, "orders"), client.table(DATABASE, "more")
    kept = {
        "sink.parallelism": "2",
        "table_property.binlog.level": "replica",
        "table_property.binlog.ttl": "259200",
    }
    assert dict(first.options) == kept
    assert dict(second.options) == kept
    assert second.primary_key == ("order_id",)


def test_buckets_become_shards(session: Session, server: ServerProcess) -> None:
    session.execute_sql(
        "CREATE TABLE parts (a INT, b INT, PRIMARY KEY (a, b) NOT ENFORCED) "
        "DISTRIBUTED BY HASH(b) INTO 3 BUCKETS"
    )
    with server.client() as client:
        parts = client.table(DATABASE, "parts")
    assert (parts.shards, parts.distribution_key) == (3, ("b",))
    ((shown,),) = ask(session, "SHOW CREATE TABLE parts")
    assert "'table_property.shard_count' = '3'" in shown
    assert "'table_property.distribution_key' = 'b'" in shown


def test_alter_table(session: Session) -> None:
    session.execute_sql(ORDERS)
    session.execute_sql("ALTER TABLE orders ADD (note STRING COMMENT 'n' FIRST)")
    session.execute_sql("ALTER TABLE orders ADD (state INT AFTER order_id)")
    session.execute_sql("ALTER TABLE orders RENAME tags TO labels")
    session.execute_sql("ALTER TABLE orders MODIFY buy_fee DECIMAL(20, 2) COMMENT 'fee'")
    session.execute_sql("ALTER TABLE orders SET ('sink.insert.batch-size' = '100')")
    session.execute_sql("ALTER TABLE orders RESET ('sink.parallelism')")
    session.execute_sql("ALTER TABLE orders RENAME TO `other.orders`")
    described = [(row[0], row[-1]) for row in ask(session, "DESCRIBE `other.orders`")]
    assert described == [
        ("note", "n"),
        ("order_id", "the key"),
        ("state", None),
        ("buy_fee", "fee"),
        ("create_time", None),
        ("labels", None),
    ]
    ((shown,),) = ask(session, "SHOW CREATE TABLE `other.orders`")
    assert "'sink.insert.batch-size' = '100'" in shown
    assert "sink.parallelism" not in shown


def test_columns_are_modified_moved_and_dropped(session: Session, server: ServerProcess) -> None:
    session.execute_sql(ORDERS)
    session.execute_sql("ALTER TABLE orders ADD (pieces INT)")
    session.execute_sql("ALTER TABLE orders MODIFY (pieces BIGINT NOT NULL COMMENT 'p' FIRST)")
    session.execute_sql("ALTER TABLE orders MODIFY buy_fee DECIMAL(30, 4) AFTER order_id")
    session.execute_sql("ALTER TABLE orders DROP tags")
    with server.client() as client:
        columns = client.table(DATABASE, "orders").columns
        assert [(c.name, str(c.type), c.nullable, c.comment) for c in columns[:3]] == [
            ("pieces", "BIGINT", False, "p"),
            ("order_id", "BIGINT", False, "the key"),
            ("buy_fee", "DECIMAL(30, 4)", True, None),
        ]
        assert "tags" not in [column.name for column in columns]
    session.execute_sql("ALTER TABLE orders MODIFY pieces BIGINT")
    assert [row[2] for row in ask(session, "DESCRIBE orders")][:2] == [True, False]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (
            "ALTER TABLE orders ADD (ms TIMESTAMP(3), WATERMARK FOR ms AS ms)",
            "ADD WATERMARK is not supported",
        ),
        ("ALTER TABLE orders MODIFY order_id INT NOT NULL", "Possible: DECIMAL(19, 0) or wider"),
        ("ALTER TABLE orders MODIFY order_id DECIMAL(20, 0) NOT NULL", "belong to other shards"),
        ("ALTER TABLE orders ADD (must INT NOT NULL)", "make it nullable or give it a default"),
        ("ALTER TABLE orders SET ('table_property.shard_count' = '2')", "fixed at CREATE TABLE"),
        ("CREATE TABLE x (a INT, b AS a + 1)", 'column "b" is computed or metadata'),
        ("CREATE TABLE x (a DOUBLE) PARTITIONED BY (a)", "cannot be in the partition key"),
        ("CREATE TABLE x (a MAP<INT, INT>)", "MAP<INT, INT>"),
        ("CREATE TABLE x (a DOUBLE PRIMARY KEY NOT ENFORCED)", "cannot be in the primary key"),
        (
            "CREATE TABLE x (a INT) WITH ('sink.paralelism' = '2')",
            "Did you mean 'sink.parallelism'",
        ),
        ("CREATE VIEW x AS SELECT 1", "CREATE TEMPORARY VIEW"),
        ("CREATE FUNCTION f AS 'a.B'", "CREATE TEMPORARY FUNCTION"),
        ("SELECT * FROM orders /*+ OPTIONS('binlgo' = 'false') */", "Did you mean 'binlog'"),
    ],
)
def test_what_is_refused_says_why(session: Session, statement: str, reason: str) -> None:
    session.execute_sql(ORDERS)
    assert reason in refusal(session, statement, SluicewayError)


def test_a_temporary_table_is_checked_against_the_store(
    session: Session, server: ServerProcess
) -> None:
    session.execute_sql(ORDERS)
    address = server.endpoint.removeprefix("grpc://")
    place = f"'endpoint' = '{address}', 'dbname' = '{DATABASE}', 'tablename' = 'orders'"
    declared = {
        "wrong": (f"(order_id INT, nope STRING) WITH ('connector' = 'sluiceway', {place})"),
        "nowhere": "(order_id INT) WITH ('connector' = 'hologres')",
    }
    for name, definition in declared.items():
        session.execute_sql(f"CREATE TEMPORARY TABLE {name} {definition}")
    try:
        message = refusal(session, "SELECT * FROM wrong")
        assert 'column "order_id" is BIGINT, not INT' in message
        assert 'there is no column "nope"' in message
        assert "'endpoint', 'dbname', 'tablename'" in refusal(session, "SELECT * FROM nowhere")
    finally:
        for name in declared:
            session.execute_sql(f"DROP TEMPORARY TABLE {name}")


def test_a_catalog_that_cannot_open_says_why(session: Session, server: ServerProcess) -> None:
    missing = refusal(session, create_catalog("bad", server, dbname="nope"), SluicewayError)
    assert 'database "nope" does not exist' in missing
    assert "CREATE DATABASE bad.nope" in missing
    wrong = refusal(session, create_catalog("bad", server, ignoredeleet="true", binlog="perhaps"))
    assert "Did you mean 'ignoredelete'" in wrong
    assert "'binlog' = 'perhaps': it is true or false" in wrong
    away = "CREATE CATALOG bad WITH ('type' = 'sluiceway', 'endpoint' = '127.0.0.1:1', {})".format(
        "'retry-count' = '0'"
    )
    assert "no answer from 127.0.0.1:1" in refusal(session, away, SluicewayError)


def test_a_catalog_outlives_a_restart_of_the_store(session: Session, server: ServerProcess) -> None:
    session.execute_sql(ORDERS)
    server.kill()
    server.start()
    assert ask(session, "SHOW TABLES") == [("orders",)]
