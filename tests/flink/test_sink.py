"""Flink writes tables: whole rows, parts of rows, deletes, rows without a key."""

from decimal import Decimal

import pyarrow as pa
import pytest

from kit.flink import FlinkSql
from sluiceway.catalog import SluicewayError

ORDERS = """
CREATE TABLE orders (
  order_id BIGINT NOT NULL,
  user_name STRING,
  amount DECIMAL(15, 2),
  paid_at TIMESTAMP(3),
  PRIMARY KEY (order_id) NOT ENFORCED
);
"""
COPY = """
CREATE TABLE copied (
  order_id BIGINT NOT NULL, user_name STRING, amount DECIMAL(15, 2),
  PRIMARY KEY (order_id) NOT ENFORCED
);
"""


def plan(flink_sql: FlinkSql, statement: str) -> str:
    """The plan of a statement with the changes that pass between its operators."""
    explained = flink_sql.session.execute_sql(f"EXPLAIN CHANGELOG_MODE {statement}")
    return str(explained.collect().next()[0])


def test_a_column_list_keeps_the_other_columns(flink_sql: FlinkSql) -> None:
    flink_sql.insert(ORDERS + "INSERT INTO orders (order_id, user_name) VALUES (1, 'a'), (2, 'b');")
    flink_sql.insert("INSERT INTO orders (amount, order_id) VALUES (10.25, 1), (3.5, 3);")

    assert flink_sql.rows("SELECT order_id, user_name, amount FROM orders ORDER BY 1") == [
        (1, "a", Decimal("10.25")),
        (2, "b", None),
        (3, None, Decimal("3.50")),
    ]


def test_without_partial_inserts_the_other_columns_become_null(flink_sql: FlinkSql) -> None:
    flink_sql.insert(ORDERS + "INSERT INTO orders (order_id, user_name) VALUES (1, 'a');")
    flink_sql.insert(
        "INSERT INTO orders /*+ OPTIONS('sink.partial-insert.enabled'='false') */"
        " (order_id, amount) VALUES (1, 5);"
    )

    rows = flink_sql.rows("SELECT order_id, user_name, amount FROM orders")
    assert rows == [(1, None, Decimal("5.00"))]


def test_an_existing_row_may_be_left_alone(flink_sql: FlinkSql) -> None:
    flink_sql.insert(ORDERS + "INSERT INTO orders (order_id, user_name) VALUES (1, 'first');")
    flink_sql.insert(
        "INSERT INTO orders /*+ OPTIONS('sink.on-conflict-action'='INSERT_OR_IGNORE') */"
        " (order_id, user_name) VALUES (1, 'second'), (2, 'new');"
    )

    rows = flink_sql.rows("SELECT order_id, user_name FROM orders ORDER BY 1")
    assert rows == [(1, "first"), (2, "new")]


@pytest.mark.parametrize(
    ("strategy", "left"),
    [
        ("CHANGELOG_STANDARD", [(2, "b")]),
        ("IGNORE_DELETE", [(1, "a"), (2, "b")]),
        ("NON_PK_FIELD_TO_NULL", [(1, None), (2, "b")]),
    ],
)
def test_a_delete_does_what_the_strategy_says(
    flink_sql: FlinkSql, strategy: str, left: list[tuple[object, ...]]
) -> None:
    flink_sql.insert(ORDERS + COPY)
    flink_sql.insert("INSERT INTO orders (order_id, user_name) VALUES (1, 'a'), (2, 'b');")
    flink_sql.run(
        f"INSERT INTO copied /*+ OPTIONS('sink.delete-strategy'='{strategy}') */"
        " SELECT order_id, user_name, amount FROM orders;"
    )
    flink_sql.wait_rows("SELECT order_id, user_name FROM copied ORDER BY 1", [(1, "a"), (2, "b")])

    delete_orders(flink_sql, 1)

    flink_sql.insert("INSERT INTO orders (order_id, user_name) VALUES (9, 'last');")
    flink_sql.wait_rows("SELECT order_id, user_name FROM copied ORDER BY 1", [*left, (9, "last")])


def test_a_table_without_a_key_takes_inserts_only(flink_sql: FlinkSql) -> None:
    flink_sql.insert(
        ORDERS
        + "CREATE TABLE visits (page STRING, seconds INT);"
        + "INSERT INTO visits VALUES ('a', 1), ('a', 1), ('b', 2);"
    )

    assert flink_sql.rows("SELECT page, seconds FROM visits ORDER BY 1") == [
        ("a", 1),
        ("a", 1),
        ("b", 2),
    ]
    with pytest.raises(SluicewayError, match="doesn't support consuming update"):
        flink_sql.run("INSERT INTO visits SELECT user_name, 1 FROM orders;")


def test_what_the_server_refuses_fails_the_job_with_its_words(flink_sql: FlinkSql) -> None:
    [job] = flink_sql.run(
        ORDERS
        + COPY
        + "SET 'restart-strategy.type' = 'none';"
        + "INSERT INTO copied SELECT order_id, user_name, amount FROM orders;"
    )
    flink_sql.insert("INSERT INTO orders (order_id, user_name) VALUES (1, 'a');")
    flink_sql.wait_rows("SELECT order_id FROM copied", [(1,)])

    flink_sql.run("DROP TABLE copied;" + COPY)
    flink_sql.insert("INSERT INTO orders (order_id, user_name) VALUES (2, 'b');")

    assert flink_sql.cluster.rest.wait_ended(job).state == "FAILED"
    assert "[40001]" in flink_sql.cluster.rest.failure(job)
    assert flink_sql.rows("SELECT order_id FROM copied") == []


def test_partial_inserts_into_one_row_need_no_materialiser(flink_sql: FlinkSql) -> None:
    flink_sql.run(
        ORDERS
        + """
        CREATE TABLE pays (
          pay_id BIGINT NOT NULL, order_id BIGINT NOT NULL, paid_at TIMESTAMP(3),
          PRIMARY KEY (pay_id) NOT ENFORCED
        );"""
    )
    by_another_key = (
        "INSERT INTO orders /*+ OPTIONS('ignoredelete'='true') */ (order_id, paid_at)"
        " SELECT order_id, paid_at FROM pays"
    )
    assert "SinkMaterializer" not in plan(flink_sql, by_another_key)
    assert "upsertMaterialize" not in plan(flink_sql, by_another_key)


def test_an_aggregate_over_a_table_needs_no_normaliser(flink_sql: FlinkSql) -> None:
    flink_sql.run(
        ORDERS
        + """
        CREATE TABLE users (
          user_name STRING NOT NULL, total DECIMAL(38, 2),
          PRIMARY KEY (user_name) NOT ENFORCED
        );"""
    )
    aggregate = (
        "INSERT INTO users SELECT user_name, SUM(amount) FROM orders"
        " WHERE user_name IS NOT NULL GROUP BY user_name"
    )
    assert "ChangelogNormalize" not in plan(flink_sql, aggregate)


def delete_orders(flink_sql: FlinkSql, *order_ids: int) -> None:
    """Delete orders as another client of the store does."""
    rows = {
        "_op": pa.array([3] * len(order_ids), pa.int8()),
        "order_id": pa.array(order_ids, pa.int64()),
    }
    flink_sql.client.write("order_dw", "orders", pa.RecordBatch.from_pydict(rows))
