"""The rewriter: the tutorial's text in, Apache Flink's out, everything else untouched."""

from collections.abc import Sequence
from importlib import resources

import pytest

from sluiceway.catalog import UserError
from sluiceway.jobs.lookups import rewrite_lookup_joins
from sluiceway.jobs.rewrite import (
    Command,
    KnownSource,
    ResetOption,
    Rewriter,
    SetOption,
    Sql,
    SqlSet,
)
from sluiceway.jobs.statements import split, substitute

ORDERS = ["order_id", "product_id", "odd `name"]


def columns_of(relation: str) -> Sequence[str]:
    """Know one table, by whatever way it is written."""
    assert "orders" in relation
    return ORDERS


def commands(script: str) -> list[Command]:
    """Rewrite a whole script in one session."""
    rewriter = Rewriter(columns_of)
    return [rewriter.rewrite(unit) for unit in split(script)]


def tutorial(name: str) -> str:
    """Return a file of the tutorial as it ships."""
    return (resources.files("sluiceway.jobs") / "sql" / name).read_text(encoding="utf-8")


HIDDEN = "(SELECT *, PROCTIME() AS `_proctime` FROM {}) AS {}"
STARS = "o.`order_id`, o.`product_id`, o.`odd ``name`"


@pytest.mark.parametrize(
    ("written", "run"),
    [
        (
            "SELECT o.*, d.n FROM orders AS o LEFT JOIN dim FOR SYSTEM_TIME AS OF proctime() AS d "
            "ON o.product_id = d.id",
            f"SELECT {STARS}, d.n FROM {HIDDEN.format('orders AS o', 'o')} LEFT JOIN dim "
            "FOR SYSTEM_TIME AS OF o.`_proctime` AS d ON o.product_id = d.id",
        ),
        (
            "SELECT * FROM c.d.orders o JOIN dim FOR SYSTEM_TIME AS OF PROCTIME() ON a = id",
            f"SELECT {STARS}, dim.* FROM {HIDDEN.format('c.d.orders o', 'o')} JOIN dim "
            "FOR SYSTEM_TIME AS OF o.`_proctime` ON a = id",
        ),
        (
            "SELECT COUNT(*) FROM orders JOIN dim FOR SYSTEM_TIME AS OF PROCTIME() AS d ON a = b",
            f"SELECT COUNT(*) FROM {HIDDEN.format('orders', 'orders')} JOIN dim "
            "FOR SYSTEM_TIME AS OF orders.`_proctime` AS d ON a = b",
        ),
        (
            "SELECT x FROM orders /*+ OPTIONS('binlog' = 'true') */ AS o JOIN a FOR SYSTEM_TIME AS "
            "OF PROCTIME() ON 1 = 1 JOIN b FOR SYSTEM_TIME AS OF PROCTIME() ON 1 = 1 WHERE x > 0",
            "SELECT x FROM "
            + HIDDEN.format("orders /*+ OPTIONS('binlog' = 'true') */ AS o", "o")
            + " JOIN a FOR SYSTEM_TIME AS OF o.`_proctime` ON 1 = 1"
            " JOIN b FOR SYSTEM_TIME AS OF o.`_proctime` ON 1 = 1 WHERE x > 0",
        ),
        (
            "SELECT * FROM (SELECT o.* FROM (SELECT a FROM orders) AS o JOIN d FOR SYSTEM_TIME AS "
            "OF PROCTIME() ON a = b) AS outer_query, other",
            f"SELECT * FROM (SELECT {STARS} FROM "
            + HIDDEN.format("(SELECT a FROM orders) AS o", "o")
            + " JOIN d FOR SYSTEM_TIME AS OF o.`_proctime` ON a = b) AS outer_query, other",
        ),
    ],
    ids=["tutorial", "bare star", "no star", "two look-ups", "nested"],
)
def test_look_up_joins(written: str, run: str) -> None:
    assert " ".join(rewrite_lookup_joins(written, columns_of).split()) == " ".join(run.split())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM orders",
        "SELECT 'FOR SYSTEM_TIME AS OF PROCTIME()' FROM t",
        "SELECT * FROM o JOIN d FOR SYSTEM_TIME AS OF o.pt /* PROCTIME() */ ON a = b",
        "CREATE TABLE t (a INT, pt AS PROCTIME()) WITH ('type' = 'hologres')",
        "CREATE DATABASE IF NOT EXISTS dw.d",
        "INSERT INTO t (a, b) VALUES (1, 'SET x = y')",
    ],
)
def test_other_statements_leave_as_they_came(statement: str) -> None:
    assert commands(statement) == [Sql(statement, 1)]


def test_a_rewritten_statement_keeps_its_lines() -> None:
    dwd = tutorial("3_dwd.sql")
    written = next(u for u in split(dwd) if not hasattr(u, "text"))
    run = Rewriter(columns_of).rewrite(written)
    assert isinstance(run, SqlSet)
    assert [i.line for i in run.inserts] == [s.line for s in written.statements]
    for insert, statement in zip(run.inserts, written.statements, strict=True):
        assert insert.text.count("\n") == statement.text.count("\n")


def test_a_look_up_join_needs_a_query_around_it() -> None:
    with pytest.raises(UserError, match="outside of SELECT"):
        rewrite_lookup_joins("JOIN d FOR SYSTEM_TIME AS OF PROCTIME()", columns_of)


@pytest.mark.parametrize(
    ("statement", "command"),
    [
        ("SET 'a.b' = 'c d'", SetOption("a.b", "c d")),
        ("set a.b-c = 10 s", SetOption("a.b-c", "10 s")),
        ("SET", SetOption(None)),
        ("RESET 'a.b'", ResetOption("a.b")),
        ("reset", ResetOption(None)),
    ],
)
def test_settings(statement: str, command: Command) -> None:
    assert commands(statement) == [command]


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(UserError, match="SET 'a' = '…'"):
        commands("SET a =")


def test_the_database_sync_is_one_call() -> None:
    names = ("endpoint", "mysql_host", "mysql_user", "mysql_password")
    values = {"mysql_port": "3307", **{name: f"<{name}>" for name in names}}
    script = substitute(tutorial("0_catalogs.sql") + tutorial("2_ods.sql"), values)
    warehouse, source, name, sync = commands(script)
    assert isinstance(warehouse, Sql) and "'type' = 'hologres'" in warehouse.text
    assert isinstance(source, KnownSource) and source.name == "mysqlcatalog"
    assert isinstance(name, SetOption) and name.key == "pipeline.name"
    assert isinstance(sync, Sql)
    assert sync.text == (
        "CALL `dw`.sys.sync_database(hostname => '<mysql_host>', port => 3307, "
        "username => '<mysql_user>', password => '<mysql_password>', database => 'order_dw', "
        "target_database => 'order_dw', wait => 'loaded', server_id => '8001-8004')"
    )


SOURCE = "CREATE CATALOG m WITH ('type'='mysql','hostname'='h','username'='u','password'='p''s');\n"


def test_the_sync_of_some_tables() -> None:
    _, sync = commands(SOURCE + "CREATE DATABASE dw.d AS DATABASE m.s INCLUDING TABLE 'a', 'b'")
    assert isinstance(sync, Sql)
    assert "including_tables => 'a,b'" in sync.text and "password => 'p''s'" in sync.text
    assert "port => 3306" in sync.text and "excluding_tables" not in sync.text


def test_the_sync_of_all_tables_but_some() -> None:
    choice = "INCLUDING ALL TABLES EXCLUDING TABLE 'a', 'b'"
    _, sync = commands(SOURCE + f"CREATE DATABASE dw.d AS DATABASE m.s {choice}")
    assert isinstance(sync, Sql)
    assert "excluding_tables => 'a,b'" in sync.text and "including_tables" not in sync.text


def test_numbers_and_truth_values_of_the_hint_lose_their_quotes() -> None:
    hint = "/*+ OPTIONS('parallelism'='2', 'replace'='true', 'server-id'='8001') */"
    _, sync = commands(SOURCE + f"CREATE DATABASE dw.d AS DATABASE m.s INCLUDING ALL TABLES {hint}")
    assert isinstance(sync, Sql)
    assert sync.text.endswith("parallelism => 2, replace => true, server_id => '8001')")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "CREATE DATABASE dw.d AS DATABASE m.s INCLUDING ALL TABLES"
            " /*+ OPTIONS('parallelism'='two') */",
            "'parallelism'='two' is not a value",
        ),
        ("CREATE DATABASE dw.d AS DATABASE x.s INCLUDING ALL TABLES", "'x' is not a MySQL catalog"),
        ("CREATE DATABASE dw.d AS DATABASE m.s", "INCLUDING ALL TABLES"),
        ("CREATE DATABASE dw.d AS DATABASE n.s INCLUDING ALL TABLES", "port 'x' of the MySQL"),
        ("CREATE DATABASE d AS DATABASE m.s INCLUDING ALL TABLES", "name both databases"),
    ],
)
def test_a_sync_that_cannot_be_understood(statement: str, message: str) -> None:
    bad_port = SOURCE.replace("CATALOG m", "CATALOG n").replace("'u'", "'u','port'='x'")
    with pytest.raises(UserError, match=message):
        commands(SOURCE + bad_port + statement)


def test_a_source_without_its_account_is_refused() -> None:
    script = (
        "CREATE CATALOG m WITH ('type'='mysql');"
        "CREATE DATABASE dw.d AS DATABASE m.s INCLUDING ALL TABLES"
    )
    with pytest.raises(UserError, match="lacks the options hostname, username, password"):
        commands(script)
