"""Columns called like the wire's own, through Flink: written, read, looked up, filtered."""

from kit.flink import FlinkSql

COLUMNS = {
    "_op": ("TINYINT", 3),
    "_event": ("TINYINT", 9),
    "_lsn": ("BIGINT", 7),
    "_time": ("TIMESTAMP(3)", "TIMESTAMP '2024-02-03 04:05:06.789'"),
    "_pos": ("INT", 1),
    "_table": ("INT", 4),
    "_rows": ("BYTES", "x'00ff'"),
    "_mark": ("BIGINT", 5),
    "_rid": ("BIGINT", 6),
}
NAMES = ", ".join(f"`{name}`" for name in COLUMNS)
VALUES = [f"CAST({value} AS {kind})" for kind, value in COLUMNS.values()]
TYPED = ", ".join(f"`{name}` {kind}" for name, (kind, _) in COLUMNS.items())
TABLES = "".join(
    f"CREATE TABLE {table} ({TYPED}, id BIGINT NOT NULL {key});"
    for table, key in {
        "written": ", PRIMARY KEY (id) NOT ENFORCED",
        "plain": "",
        "copied": ", PRIMARY KEY (id) NOT ENFORCED",
        "joined": ", PRIMARY KEY (id) NOT ENFORCED",
        "asked": ", PRIMARY KEY (id) NOT ENFORCED",
    }.items()
)
KEYED = "CREATE TABLE keyed (`_pos` INT NOT NULL, v INT, PRIMARY KEY (`_pos`) NOT ENFORCED);"
BOUNDED = "OPTIONS('binlog' = 'false')"
OTHERS = ["CAST(NULL AS TINYINT)", "CAST(5 AS TINYINT)", *VALUES[2:]]
ROWS = f"({', '.join(VALUES)}, CAST(1 AS BIGINT)), ({', '.join(OTHERS)}, CAST(2 AS BIGINT))"


def test_columns_are_called_like_the_wires_own(flink_sql: FlinkSql) -> None:
    flink_sql.insert(f"{TABLES}{KEYED} INSERT INTO plain VALUES {ROWS};")
    flink_sql.insert(f"INSERT INTO written SELECT {NAMES}, id FROM plain /*+ {BOUNDED} */;")
    rows = flink_sql.rows(f"SELECT id, {NAMES} FROM plain ORDER BY id".replace("`", '"'))
    assert [row[:6] for row in rows] == [
        (1, 3, 9, 7, rows[0][4], 1),
        (2, None, 5, 7, rows[0][4], 1),
    ]
    same = f"SELECT id, {NAMES} FROM {{}} ORDER BY id".replace("`", '"')
    assert flink_sql.rows(same.format("written")) == rows

    flink_sql.insert("INSERT INTO keyed VALUES (1, 10), (2, 20);")
    flink_sql.run("INSERT INTO copied SELECT * FROM written;")  # rows, then changes
    flink_sql.run(
        f"INSERT INTO joined SELECT {', '.join(f'd.`{name}`' for name in COLUMNS)}, w.id "
        "FROM written AS w JOIN written FOR SYSTEM_TIME AS OF PROCTIME() AS d ON d.id = w.id;"
    )
    flink_sql.run(
        "INSERT INTO asked (id, `_pos`, `_lsn`) SELECT w.id, k.v, w.`_lsn` FROM written AS w "
        "JOIN keyed FOR SYSTEM_TIME AS OF PROCTIME() AS k ON k.`_pos` = w.`_pos` "
        "WHERE w.`_lsn` = 7 AND w.`_event` > 0;"
    )
    for table in ("copied", "joined"):
        flink_sql.wait_rows(same.format(table), rows)
    asked = 'SELECT id, "_pos", "_lsn", "_op" FROM asked ORDER BY id'
    flink_sql.wait_rows(asked, [(1, 10, 7, None), (2, 10, 7, None)])

    flink_sql.insert("INSERT INTO written (id, `_lsn`) VALUES (2, 70);")  # an update of one column
    changed = [rows[0], (*rows[1][:3], 70, *rows[1][4:])]
    for table in ("written", "copied", "joined"):
        flink_sql.wait_rows(same.format(table), changed)
