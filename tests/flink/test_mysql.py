"""The private MySQL server: its settings, its account, and that its data outlive it."""

from pathlib import Path

import pymysql
import pytest

from sluiceway.jobs import mysql
from sluiceway.jobs.mysql import MySQL
from sluiceway.jobs.processes import port_answers
from sluiceway.jobs.tutorial import script

pytestmark = [pytest.mark.mysql, pytest.mark.slow]


def test_the_binlog_is_what_a_sync_needs(mysql_server: MySQL) -> None:
    names = "('log_bin', 'binlog_format', 'binlog_row_image', 'binlog_row_metadata')"
    found = mysql_server.query(f"SHOW GLOBAL VARIABLES WHERE variable_name IN {names}")
    assert dict(found) == {
        "log_bin": "ON",
        "binlog_format": "ROW",
        "binlog_row_image": "FULL",
        "binlog_row_metadata": "FULL",
    }
    assert mysql_server.query("SELECT @@global.time_zone, @@hostname IS NOT NULL")[0][0] == "+00:00"


def test_the_account_of_the_sync_reads_and_does_not_write(
    mysql_server: MySQL, mysql_database: str
) -> None:
    mysql_server.run("CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1)", mysql_database)
    with (
        pymysql.connect(
            host=mysql.HOST,
            port=mysql_server.port,
            user=mysql.USER,
            password=mysql.PASSWORD,
            database=mysql_database,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT a FROM t")
        assert cursor.fetchall() == ((1,),)
        with pytest.raises(pymysql.err.OperationalError, match="INSERT command denied"):
            cursor.execute("INSERT INTO t VALUES (2)")


def test_data_outlive_the_server(tmp_path: Path) -> None:
    with MySQL(tmp_path / "mysql") as server:
        server.run(script("1_source.mysql.sql"))
        port = server.port
    assert not port_answers(mysql.HOST, port)
    with MySQL(tmp_path / "mysql") as server:
        server.transaction(["DELETE FROM orders WHERE order_id = 100001"], "order_dw")
        assert server.query("SELECT COUNT(*) FROM orders", "order_dw") == [(6,)]
