"""Columns that are widened under jobs that read them: snapshot, changes and look-ups go on."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from kit.flink import DATABASE, FlinkSql

# Column, type, wider type, a value of the old type, one that only the wider type holds.
COLUMNS: list[tuple[str, str, str, Any, Any]] = [
    ("c0", "TINYINT", "SMALLINT", -7, 300),
    ("c1", "SMALLINT", "INT", 8, 2**20),
    ("c2", "INT", "BIGINT", -(2**31), 2**31),
    ("c3", "BIGINT", "DECIMAL(38, 2)", 2**62, Decimal("0.25")),
    ("c4", "SMALLINT", "FLOAT", 5, 0.5),
    ("c5", "INT", "DOUBLE", 2**31 - 1, 0.5),
    ("c6", "FLOAT", "DOUBLE", 0.5, 0.1),
    ("c7", "DECIMAL(4, 2)", "DECIMAL(9, 4)", Decimal("-9.25"), Decimal("1.2345")),
    ("c8", "VARCHAR(3)", "STRING", "äöü", "four"),
    ("c9", "VARBINARY(2)", "BYTES", b"ab", b"abc"),
    ("c10", "TIMESTAMP(0)", "TIMESTAMP(6)", datetime(2024, 1, 2, 3, 4, 5), None),
]
COPY = "INSERT INTO {target} SELECT * FROM s;"
FIND = """
INSERT INTO {target} SELECT d.* FROM asked AS o
JOIN s {hint} FOR SYSTEM_TIME AS OF PROCTIME() AS d ON o.id = d.id;
"""


def table(name: str, *, wide: bool) -> str:
    """The table with its columns of before or of after."""
    columns = ", ".join(f"{c} {after if wide else before}" for c, before, after, *_ in COLUMNS)
    return f"CREATE TABLE {name} (id INT, {columns}, PRIMARY KEY (id) NOT ENFORCED);"


def put(flink_sql: FlinkSql, row: int, values: dict[str, Any] | None = None) -> None:
    """Write a row of values that fit the old types, some replaced, in the table's types."""
    kinds = {f.name: f.type for f in flink_sql.client.table(DATABASE, "s").arrow_schema()}
    named = {"id": row, **{name: old for name, _, _, old, _ in COLUMNS}, **(values or {})}
    arrays = {name: pa.array([value], kinds[name]) for name, value in named.items()}
    flink_sql.client.write(DATABASE, "s", pa.table(arrays))


def ask(flink_sql: FlinkSql, row: int) -> None:
    flink_sql.client.write(DATABASE, "asked", pa.table({"id": pa.array([row], pa.int32())}))


def wait_copied(flink_sql: FlinkSql, target: str, rows: int) -> None:
    wanted = flink_sql.rows(f"SELECT * FROM s WHERE id <= {rows} ORDER BY id")
    flink_sql.wait_rows(f"SELECT * FROM {target} ORDER BY id", wanted)


def test_jobs_read_on_while_values_fit_and_say_which_does_not(flink_sql: FlinkSql) -> None:
    targets = ("copied", "failing", "found", "kept")
    flink_sql.run(table("s", wide=False) + "".join(table(each, wide=True) for each in targets))
    flink_sql.run("CREATE TABLE asked (id INT, PRIMARY KEY (id) NOT ENFORCED);")
    put(flink_sql, 1)
    ask(flink_sql, 1)
    [copying] = flink_sql.run(COPY.format(target="copied"))
    flink_sql.run(FIND.format(target="found", hint=""))
    flink_sql.run(FIND.format(target="kept", hint="/*+ OPTIONS('lookup.cache' = 'PARTIAL') */"))
    [failing] = flink_sql.run(
        "SET 'restart-strategy.type' = 'none';" + COPY.format(target="failing")
    )
    for target in targets:
        wait_copied(flink_sql, target, 1)

    for name, _, after, _, _ in COLUMNS:
        flink_sql.run(f"ALTER TABLE s MODIFY {name} {after};")
    put(flink_sql, 2)
    ask(flink_sql, 2)
    for target in targets:
        wait_copied(flink_sql, target, 2)

    savepoint = flink_sql.cluster.rest.savepoint(copying, None, stop=True)
    put(flink_sql, 3, {name: new for name, _, _, _, new in COLUMNS if new is not None})
    assert flink_sql.cluster.rest.wait_ended(failing).state == "FAILED"
    reason = flink_sql.cluster.rest.failure(failing) or ""
    assert '[22003] 300 of column "c0" does not fit TINYINT' in reason, reason
    flink_sql.run(f"SET 'execution.state-recovery.path' = '{savepoint}';")
    flink_sql.run(COPY.format(target="copied"))
    wait_copied(flink_sql, "copied", 3)
