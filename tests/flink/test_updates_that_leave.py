"""A row that leaves a filter, a HAVING or an inner join leaves the sink, told by −U alone.

Of an update whose two images pass, the sink makes one update: no reader sees a gap, and what others
have written to the row stays.
"""

import pyarrow as pa
import pytest

from kit.flink import DATABASE, FlinkSql

TABLES = """
CREATE TABLE orders (id BIGINT NOT NULL, kind INT, amount INT, PRIMARY KEY (id) NOT ENFORCED);
CREATE TABLE kinds (kind INT NOT NULL, label STRING, PRIMARY KEY (kind) NOT ENFORCED);
CREATE TABLE big (
  id BIGINT NOT NULL, amount INT, label STRING, note STRING, PRIMARY KEY (id) NOT ENFORCED
);
"""
JOIN = """
INSERT INTO big {hint} {columns} SELECT o.id, o.amount, k.label{rest} FROM orders o
JOIN kinds k ON o.kind = k.kind WHERE o.amount > 20;
"""


def write(flink_sql: FlinkSql, table: str, op: int, **columns: list[object]) -> None:
    """Write rows of a table under one operation, all its columns in the order given."""
    schema = {c.name: c.type for c in flink_sql.client.table(DATABASE, table).columns}
    types = {"BIGINT": pa.int64(), "INT": pa.int32()}
    rows = {"_op": pa.array([op] * len(next(iter(columns.values()))), pa.int8())}
    for name, values in columns.items():
        rows[name] = pa.array(values, types.get(str(schema[name]), pa.string()))
    flink_sql.client.write(DATABASE, table, pa.RecordBatch.from_pydict(rows))


def events(flink_sql: FlinkSql, table: str) -> list[tuple[int, int]]:
    """Event codes and ids of the changelog of a table of one shard, from its begin."""
    until = flink_sql.client.hello()["published"]
    found = []
    for change in flink_sql.client.changelog(DATABASE, table, until=until):
        rows = change.batch
        found += zip(rows.column(0).to_pylist(), rows.column("id").to_pylist(), strict=True)
    return found


@pytest.mark.parametrize(
    ("strategy", "left"),
    [
        ("CHANGELOG_STANDARD", []),
        ("DELETE_ROW_ON_PK", []),
        ("NON_PK_FIELD_TO_NULL", [(1, None)]),
        ("IGNORE_DELETE", [(1, 30)]),
    ],
)
def test_a_row_that_leaves_a_filter(
    flink_sql: FlinkSql, strategy: str, left: list[tuple[object, ...]]
) -> None:
    flink_sql.run(TABLES)
    write(flink_sql, "orders", 0, id=[1, 2], kind=[1, 1], amount=[30, 30])
    flink_sql.run(
        f"INSERT INTO big /*+ OPTIONS('sink.delete-strategy'='{strategy}') */"
        " SELECT id, amount, 'x', 'y' FROM orders WHERE amount > 20;"
    )
    flink_sql.wait_rows("SELECT id, amount FROM big ORDER BY id", [(1, 30), (2, 30)])

    write(flink_sql, "orders", 0, id=[2, 1], kind=[1, 1], amount=[40, 10])
    write(flink_sql, "orders", 0, id=[3], kind=[1], amount=[50])

    wanted = [*left, (2, 40), (3, 50)]
    flink_sql.wait_rows("SELECT id, amount FROM big ORDER BY id", wanted)
    if not left:
        assert sorted(events(flink_sql, "big")) == [(2, 1), (3, 2), (5, 1), (5, 2), (5, 3), (7, 2)]


def test_an_update_through_a_shuffle_is_one_update(flink_sql: FlinkSql) -> None:
    """−U and +U pass an exchange and a join, and the parts of a row that others write stay."""
    ids = list(range(400))
    flink_sql.run(TABLES)
    write(flink_sql, "kinds", 0, kind=[0, 1, 2], label=["a", "b", "c"])
    write(flink_sql, "orders", 0, id=ids, kind=[i % 3 for i in ids], amount=[30] * 400)
    write(flink_sql, "big", 0, id=ids, note=["of another"] * 400)
    hint = "/*+ OPTIONS('sink.insert.batch-size'='7', 'sink.parallelism'='1') */"
    flink_sql.run(
        "SET 'parallelism.default' = '2'; SET 'execution.checkpointing.interval' = '100 ms';"
        + JOIN.format(hint=hint, columns="(id, amount, label)", rest="")
    )
    flink_sql.wait_rows("SELECT count(*) FROM big WHERE amount = 30", [(400,)])

    for amount in range(31, 41):
        write(flink_sql, "orders", 2, id=ids, kind=[i % 3 for i in ids], amount=[amount] * 400)
    write(flink_sql, "kinds", 2, kind=[0, 1, 2], label=["A", "B", "C"])

    flink_sql.wait_rows(
        "SELECT count(*), count(note), count(DISTINCT label), min(label) FROM big"
        " WHERE amount = 40 AND label < 'a'",
        [(400, 400, 3, "A")],
    )
    assert {code for code, _ in events(flink_sql, "big")[400:]} == {3, 7}


def test_a_before_image_that_waits_outlives_a_restart(flink_sql: FlinkSql) -> None:
    job_of = (
        "INSERT INTO big /*+ OPTIONS('sink.update-before.wait-ms'='{wait}') */"
        " SELECT id, amount, 'x', 'y' FROM orders WHERE amount > 20;"
    )
    flink_sql.run(TABLES)
    write(flink_sql, "orders", 0, id=[1, 2], kind=[1, 1], amount=[30, 30])
    [job] = flink_sql.run(job_of.format(wait=3_600_000))
    flink_sql.wait_rows("SELECT id FROM big ORDER BY id", [(1,), (2,)])
    write(flink_sql, "orders", 0, id=[1], kind=[1], amount=[10])
    write(flink_sql, "orders", 0, id=[3], kind=[1], amount=[30])
    flink_sql.wait_rows("SELECT id FROM big ORDER BY id", [(1,), (2,), (3,)])

    savepoint = flink_sql.cluster.rest.savepoint(job, None, stop=True)
    flink_sql.run(f"SET 'execution.state-recovery.path' = '{savepoint}';" + job_of.format(wait=0))

    flink_sql.wait_rows("SELECT id FROM big ORDER BY id", [(2,), (3,)])


@pytest.mark.parametrize("checkpoints", ["1 s", "1 h"])
def test_a_refused_write_fails_the_job_without_another_row(
    flink_sql: FlinkSql, checkpoints: str
) -> None:
    flink_sql.run(TABLES)
    [job] = flink_sql.run(
        f"SET 'execution.checkpointing.interval' = '{checkpoints}';"
        "INSERT INTO big SELECT id, amount, 'x', 'y' FROM orders;"
    )
    write(flink_sql, "orders", 0, id=[1], kind=[1], amount=[30])
    flink_sql.wait_rows("SELECT id FROM big", [(1,)])

    flink_sql.run("ALTER TABLE big DROP note;")
    write(flink_sql, "orders", 0, id=[2], kind=[1], amount=[30])

    assert flink_sql.cluster.rest.wait_ended(job).state == "FAILED"
    assert "[42703]" in flink_sql.cluster.rest.failure(job)


@pytest.mark.parametrize(
    ("select", "text"),
    [
        ("SELECT id, amount FROM orders", '[23502] table "order_dw.strict"'),
        ("SELECT kind, MAX(amount) FROM orders GROUP BY kind", "[23502]"),
        ("SELECT o.amount, o.kind FROM orders o JOIN orders p ON o.kind = p.kind", "[23502]"),
    ],
)
def test_null_where_none_may_be_fails_the_job_at_once(
    flink_sql: FlinkSql, select: str, text: str
) -> None:
    """Directly before the sink, with a shuffle between, and with a materialiser."""
    flink_sql.run(
        TABLES + "CREATE TABLE strict (k INT NOT NULL, v INT NOT NULL, "
        "PRIMARY KEY (k) NOT ENFORCED);"
    )
    write(flink_sql, "orders", 0, id=[1], kind=[1], amount=[None])
    [job] = flink_sql.run(
        "SET 'execution.checkpointing.interval' = '1 s';"
        f"INSERT INTO strict /*+ OPTIONS('sink.parallelism'='2') */"
        f" SELECT CAST(a AS INT), b FROM ({select}) AS q (a, b);"
    )
    assert flink_sql.cluster.rest.wait_ended(job).state == "FAILED"
    assert text in flink_sql.cluster.rest.failure(job)
