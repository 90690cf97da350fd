"""Time travel and look-up joins in generated statements: each is rewritten as it was meant."""

import random
from collections.abc import Sequence

import pytest

from sluiceway.catalog import UserError
from sluiceway.jobs.lookups import rewrite_lookup_joins
from sluiceway.jobs.travel import rewrite_time_travel

AT = "FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01 00:00:00'"
MARK = "/*+ OPTIONS('jdbcBinlogSlotName' = 'now') */"
CASES = 500
# Conditions and values with every FROM, comma, star and keyword that is not of the query's clauses.
CONDITIONS = [
    "o.x IS DISTINCT FROM b.x",
    "o.x IS NOT DISTINCT FROM b.x",
    "o.id = b.id AND EXTRACT(DAY FROM o.ts) > 1",
    "TRIM(BOTH 'a' FROM o.s) = 'FROM t'",
    "SUBSTRING(o.s FROM 1 FOR 2) = LEFT(b.s, 2)",
    "o.x IN (SELECT x FROM t WHERE x IS DISTINCT FROM 3)",
    "o.`FROM` = b.`select` -- FROM t, u\n",
    "o.a /* JOIN */ * 2 > b.a",
    "CASE WHEN o.x IS NULL THEN 1 ELSE 2 END = b.x",
]
VALUES = ["o.a", "o.a * 2 AS twice", "COUNT(*) OVER (PARTITION BY o.a)", "'*, FROM t' AS s", "b.x"]
TAILS = ["", " WHERE o.x IS DISTINCT FROM 5", " LIMIT 3", " ORDER BY o.a, o.x"]


def columns_of(relation: str) -> Sequence[str]:
    assert relation == "orders AS o"
    return ["a", "x"]


@pytest.mark.parametrize("seed", range(10))
def test_look_up_joins_among_whatever_else(seed: int) -> None:
    choose = random.Random(seed)
    hidden = "(SELECT *, PROCTIME() AS `_proctime` FROM orders AS o) AS o"
    for _ in range(CASES // 10):
        values, stars = [], []
        for _ in range(choose.randint(1, 4)):
            value, star = choose.choice([(v, v) for v in VALUES] + [("o.*", "o.`a`, o.`x`")] * 3)
            values.append(value)
            stars.append(star)
        hint = choose.choice(["", "/*+ LOOKUP('table'='d') */ "])
        kind = choose.choice(["JOIN", "LEFT JOIN", "INNER JOIN"])
        first, second = choose.choice(CONDITIONS), choose.choice(CONDITIONS)
        tail = choose.choice(TAILS)

        def statement(
            select: list[str], left: str, time: str, hint: str = hint, kind: str = kind,
            first: str = first, second: str = second, tail: str = tail,
        ) -> str:  # fmt: skip
            return (
                f"INSERT INTO t SELECT {hint}{', '.join(select)} FROM {left} {kind} b ON {first} "
                f"LEFT JOIN d FOR SYSTEM_TIME AS OF {time} AS d ON {second}{tail}"
            )

        written = statement(values, "orders AS o", "PROCTIME()")
        wanted = statement(stars, hidden, "o.`_proctime`")
        assert rewrite_lookup_joins(rewrite_time_travel(written), columns_of) == wanted


def test_a_bare_star_behind_a_hint_hides_the_column() -> None:
    got = rewrite_lookup_joins(
        "SELECT /*+ LOOKUP('table'='d') */ * FROM orders AS o JOIN d FOR SYSTEM_TIME AS OF "
        "PROCTIME() AS d ON o.a = d.a",
        columns_of,
    )
    assert "*/ o.`a`, o.`x`, d.* FROM" in got


TIMES = [
    "TIMESTAMP '2024-01-01 00:00:00'",
    "TIMESTAMP '2024-01-01 00:00:00' - INTERVAL '1' DAY",
    "TIMESTAMP '2024-01-01 00:00:00' + INTERVAL '1 2' DAY TO HOUR",
    "CAST('2024-01-01 00:00:00' AS TIMESTAMP(3))",
    "TO_TIMESTAMP('2024-01-01') - (INTERVAL '1' SECOND)",
]
TABLES = ["t", "`t`", "dw.d.t", "`dw`.d.`t` /*+ OPTIONS('a' = 'b') */"]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("alias", ["AS d", "d", "AS d (x, y)", "AS `FROM`"])
def test_an_alias_stands_outside_of_a_subquery(table: str, time: str, alias: str) -> None:
    past = f"{table} FOR SYSTEM_TIME AS OF {time}"
    for before, after in [
        ("SELECT * FROM ", ""),
        ("INSERT INTO s\nSELECT 1 FROM o LEFT JOIN ", "\nON o.a IS DISTINCT FROM d.a WHERE 1 = 1"),
        ("SELECT * FROM a, ", ", b"),
        ("SELECT (SELECT max(v) FROM ", ") FROM o"),
    ]:
        written = f"{before}{past} {alias}{after}"
        assert rewrite_time_travel(written) == f"{before}(SELECT * FROM {past}) {alias}{after}"


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT * FROM t {AT}",
        f"SELECT * FROM t {AT} WHERE a = 1",
        f"SELECT * FROM o JOIN t {AT} ON o.a = t.a",
        "SELECT * FROM o JOIN t FOR SYSTEM_TIME AS OF o.pt AS d ON o.a = d.a",
        "SELECT * FROM o JOIN t FOR SYSTEM_TIME AS OF pt AS d ON a = d.a",
        "SELECT * FROM o JOIN t FOR SYSTEM_TIME AS OF `TIMESTAMP` d ON a = d.a",
        f"SELECT 't {AT} AS d' FROM t -- t {AT} AS d",
        f"SELECT EXTRACT(DAY FROM t), TRIM(t) FROM o JOIN t {AT} ON TRUE",
    ],
)
def test_what_the_planner_understands_stays(statement: str) -> None:
    assert rewrite_time_travel(statement) == statement


@pytest.mark.parametrize(
    ("written", "run"),
    [
        (f"SELECT * FROM t n JOIN t {AT} ON TRUE", f"SELECT * FROM t {MARK} n JOIN t {AT} ON TRUE"),
        (
            f"SELECT * FROM (SELECT * FROM `t` {AT}) d, dw.d.t /*+ OPTIONS('a' = 'b') */ AS n",
            f"SELECT * FROM (SELECT * FROM `t` {AT}) d, "
            "dw.d.t /*+ OPTIONS('jdbcBinlogSlotName' = 'now', 'a' = 'b') */ AS n",
        ),
        (
            f"SELECT v FROM t {AT} UNION ALL SELECT v FROM t",
            f"SELECT v FROM t {AT} UNION ALL SELECT v FROM t {MARK}",
        ),
        (
            f"SELECT v FROM t {AT} WHERE EXISTS (SELECT 1 FROM o JOIN t ON o.v = t.v)",
            f"SELECT v FROM t {AT} WHERE EXISTS (SELECT 1 FROM o JOIN t {MARK} ON o.v = t.v)",
        ),
    ],
)
def test_the_table_of_now_is_told_from_its_past(written: str, run: str) -> None:
    assert rewrite_time_travel(written) == run


def test_one_table_at_two_times_is_refused() -> None:
    other = AT.replace("2024", "2023")
    with pytest.raises(UserError, match=r"t is read at two times.*source.snapshot-lsn") as failure:
        rewrite_time_travel(f"SELECT * FROM t {AT} AS a JOIN dw.d.t {other} AS b ON a.k = b.k")
    assert failure.value.sqlstate == "0A000"
    twice = f"SELECT * FROM t {AT} UNION ALL SELECT * FROM t {AT}"
    assert rewrite_time_travel(twice) == twice


@pytest.mark.parametrize(
    "time", ["CURRENT_TIMESTAMP - INTERVAL '1' SECOND", "now()", "(LOCALTIMESTAMP)"]
)
def test_a_time_that_is_not_written_out_is_refused(time: str) -> None:
    with pytest.raises(UserError, match="only a time that is written out") as failure:
        rewrite_time_travel(f"SELECT * FROM t FOR SYSTEM_TIME AS OF {time}")
    assert failure.value.sqlstate == "0A000"
