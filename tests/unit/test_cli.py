"""The command line: how results look, and what a wrong call is told."""

import datetime
import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from kit.store import Shop, orders
from sluiceway.jobs import places
from sluiceway.jobs.cli import main
from sluiceway.jobs.processes import free_port
from sluiceway.jobs.render import FORMATS, render
from sluiceway.jobs.script import creates_catalog
from sluiceway.jobs.sync import sync_statement
from sluiceway.warehouse.past import time_text

NAMES = ("id", "fee", "at", "name")
ROWS = [
    (1, Decimal("5000.05"), datetime.datetime(2023, 2, 15, 16, 40, 56), "a,b"),
    (2, None, None, ""),
]


def test_csv_keeps_null_and_commas_apart() -> None:
    text = 'id,fee,at,name\n1,5000.05,2023-02-15 16:40:56,"a,b"\n2,,,'
    assert render(NAMES, ROWS, "csv") == text


def test_json_is_one_object_a_line_and_rounds_nothing() -> None:
    lines = [json.loads(line) for line in render(NAMES, ROWS, "json").splitlines()]
    assert lines == [
        {"id": 1, "fee": "5000.05", "at": "2023-02-15 16:40:56", "name": "a,b"},
        {"id": 2, "fee": None, "at": None, "name": ""},
    ]


def test_nothing_is_no_line_in_json_and_a_head_in_csv(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data")
    shop.warehouse.close()
    ask = ["sql", "--data", str(tmp_path / "data"), "SELECT 1 AS a WHERE false"]
    shown = {form: CliRunner().invoke(main, [*ask, "--format", form]).stdout for form in FORMATS}
    assert shown["json"] == ""
    assert shown["csv"] == "a\n"
    assert shown["table"].endswith("0 rows\n")


def test_a_table_shows_null_and_counts() -> None:
    text = render(NAMES, ROWS, "table")
    assert "NULL" in text and "5000.05" in text and text.endswith("\n2 rows")
    assert render(("n",), [], "table").endswith("0 rows")


def test_nothing_serves_the_folder(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["status", "--data", str(tmp_path)])
    assert result.exit_code == 7
    assert "no store serves" in result.output and "sluiceway serve" in result.output


def test_a_folder_without_a_warehouse(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["sql", "--data", str(tmp_path), "SELECT 1"])
    assert result.exit_code == 3
    assert "holds no warehouse" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_asked_for_a_time(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data")
    shop.create(orders())
    shop.put((1, "a", 1))
    at = time_text(shop.clock.us)
    shop.clock.us += 1
    shop.put((1, "b", 1))
    shop.warehouse.close()
    ask = ["sql", "--data", str(shop.folder), "--format", "csv"]
    query = "SELECT name FROM shop.orders"
    for more, name in [([], "b"), (["--as-of", at], "a"), (["--as-of", at[:19]], "a")]:
        result = CliRunner().invoke(main, [*ask, *more, query])
        assert (result.exit_code, result.output) == (0, f"name\n{name}\n")
    for text, exit_code in [("noon", 2), ("1999-01-01", 6), ("9999-01-01", 2)]:
        result = CliRunner().invoke(main, [*ask, "--as-of", text, query])
        assert (result.exit_code, text in result.output) == (exit_code, True), result.output


def test_a_wrong_endpoint_is_named() -> None:
    where = f"127.0.0.1:{free_port()}"
    result = CliRunner().invoke(main, ["sql", "--endpoint", where, "SELECT 1"])
    assert result.exit_code == 7
    assert where in result.output
    result = CliRunner().invoke(main, ["sql", "--endpoint", "nonsense", "SELECT 1"])
    assert result.exit_code == 2
    assert "'nonsense' is not host:port" in result.output


def test_kill_store_needs_scale() -> None:
    result = CliRunner().invoke(main, ["demo", "--kill-store"])
    assert result.exit_code == 2
    assert "--kill-store goes with --scale" in result.output


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("grpc://host-1.example:9090", "host-1.example:9090"),
        ("./warehouse", None),
        ("C:/x", None),
        ("/data/a:b", None),
    ],
)
def test_addresses_and_paths(text: str, found: str | None) -> None:
    assert places.address(text) == found


def test_a_lock_of_a_dead_process_serves_nothing(tmp_path: Path) -> None:
    (tmp_path / "LOCK").write_text('{"pid": 4194305, "endpoint": "grpc://127.0.0.1:1"}')
    assert places.served_at(tmp_path) is None


@pytest.mark.parametrize(
    ("script", "creates"),
    [
        ("CREATE CATALOG dw WITH ('type'='hologres')", True),
        ("CREATE CATALOG m WITH ('a'='b'); create catalog if not exists `dw` WITH ('a'='b')", True),
        ("CREATE CATALOG other WITH ('a'='b'); USE CATALOG dw", False),
        ("-- CREATE CATALOG dw\nSELECT 'CREATE CATALOG dw'", False),
    ],
)
def test_a_script_may_bring_its_own_catalog(script: str, creates: bool) -> None:
    assert creates_catalog(script, "dw") is creates


def test_a_sync_goes_on_from_a_savepoint() -> None:
    text = sync_statement(
        "dw",
        hostname="h",
        port=1,
        username="u",
        password="p",
        database="d",
        parallelism=2,
        replace=True,
        savepoint="file:/s",
        wait=False,
    )
    assert text.endswith("parallelism => 2, replace => TRUE, savepoint => 'file:/s')")


def test_the_sync_statement_leaves_out_what_was_not_said() -> None:
    text = sync_statement("dw", hostname="h", port=1, username="u", password="it's", database="d")
    assert text == (
        "CALL `dw`.sys.sync_database(hostname => 'h', port => 1, username => 'u', "
        "password => 'it''s', database => 'd', target_database => 'd', wait => 'loaded')"
    )
