"""Which names may be names, and what is proposed for a wrong one."""

import pytest

from kit.marks import MARK
from sluiceway.catalog import (
    UserError,
    check_column,
    check_database,
    check_table,
    did_you_mean,
    known_names,
    split_database,
    split_table,
)
from sluiceway.warehouse.table.column import HIDDEN_NAME
from sluiceway.warehouse.table.rowmajor import ROW_NAME


@pytest.mark.parametrize("name", ["orders", "ods.orders", "订单", "a b", "Orders-2"])
def test_table_names_that_are_fine(name: str) -> None:
    assert check_table(name) == name


@pytest.mark.parametrize("name", ["", " a", "a.b.c", "a.", ".a", "a\nb", "x" * 128])
def test_table_names_that_are_refused_by_value(name: str) -> None:
    with pytest.raises(UserError) as caught:
        check_table(name)
    assert caught.value.sqlstate == "42602"


def test_schema_public_is_left_out() -> None:
    assert check_table("public.orders") == "orders"
    assert split_table("orders") == ("public", "orders")
    assert split_table("ods.orders") == ("ods", "orders")


def test_a_database_may_name_its_warehouse() -> None:
    assert split_database("order_dw@init_warehouse") == ("order_dw", "init_warehouse")
    assert split_database("order_dw") == ("order_dw", None)
    with pytest.raises(UserError):
        split_database("order_dw@")
    with pytest.raises(UserError):
        check_database("a.b")


def test_no_column_is_called_like_the_engines_own() -> None:
    assert check_column("_mark") == "_mark"
    for own in (HIDDEN_NAME, ROW_NAME, MARK):
        with pytest.raises(UserError, match="blanks"):
            check_column(own)


def test_the_nearest_names_are_proposed_in_their_own_case() -> None:
    assert did_you_mean("ORDRES", ["Orders", "payments"]) == ' Did you mean "Orders"?'
    assert did_you_mean("xyz", ["Orders"]) == ""


def test_known_names_are_cut_when_there_are_many() -> None:
    assert known_names(["b", "a"]) == "a, b"
    assert known_names([]) == "none"
    assert known_names([f"t{i:02}" for i in range(15)]).endswith("t11, and 3 more")
