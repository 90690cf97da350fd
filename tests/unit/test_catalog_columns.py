"""Changing the columns of a table: what becomes of it, and why some changes are refused."""

from itertools import product
from typing import Any

import pytest

from sluiceway.catalog import (
    AddColumn,
    Catalog,
    Change,
    Column,
    CreateDatabase,
    CreateTable,
    DropColumn,
    MoveColumn,
    SetNullable,
    SetType,
    SluicewayError,
    Table,
    UserError,
    apply_change,
    parse_type,
    widens,
)

# Chains in which each type holds all values of those before it.
CHAINS = [
    "TINYINT SMALLINT INT BIGINT DECIMAL(19,0) DECIMAL(38,19)",
    "TINYINT SMALLINT FLOAT DOUBLE",
    "SMALLINT INT DOUBLE",
    "INT DECIMAL(10,0) DECIMAL(12,2) DECIMAL(14,2) DECIMAL(38,6)",
    "CHAR(3) VARCHAR(3) VARCHAR(9) STRING",
    "BINARY(3) VARBINARY(3) VARBINARY(9) BYTES",
    "TIME(0) TIME(3) TIME(9)",
    "TIMESTAMP(0) TIMESTAMP(3) TIMESTAMP(6)",
    "TIMESTAMP_LTZ(7) TIMESTAMP_LTZ(9)",
    "ARRAY<INT> ARRAY<BIGINT>",
]
LOSSY = [
    ("BIGINT", "INT", "DECIMAL(19, 0)"),
    ("BIGINT", "DOUBLE", "DECIMAL(19, 0)"),
    ("INT", "FLOAT", "BIGINT, DOUBLE"),
    ("INT", "DECIMAL(10,2)", "DECIMAL(10, 0)"),
    ("INT", "STRING", "BIGINT"),
    ("FLOAT", "DECIMAL(38,10)", "DOUBLE"),
    ("DOUBLE", "FLOAT", "nothing else"),
    ("DECIMAL(10,2)", "DECIMAL(10,3)", "8 or more digits before the point"),
    ("DECIMAL(10,2)", "DECIMAL(12,1)", "scale of 2 or more"),
    ("DECIMAL(10,2)", "DOUBLE", "DECIMAL"),
    ("VARCHAR(9)", "VARCHAR(8)", "VARCHAR(9) or longer, STRING"),
    ("VARCHAR(9)", "CHAR(9)", "VARCHAR(9) or longer"),
    ("STRING", "BYTES", "STRING"),
    ("TIMESTAMP(3)", "TIMESTAMP(9)", "precision up to 6"),
    ("TIMESTAMP(6)", "TIMESTAMP_LTZ(6)", "nothing else"),
    ("DATE", "TIMESTAMP(3)", "nothing else"),
    ("BOOLEAN", "INT", "nothing else"),
    ("ARRAY<BIGINT>", "ARRAY<INT>", "ARRAY of DECIMAL(19, 0)"),
]


def column(name: str, kind: str = "BIGINT", **more: Any) -> Column:
    return Column(0, name, parse_type(kind), **more)


def catalog(*columns: Column, **more: Any) -> Catalog:
    table = Table("dw", "t", (column("k", "INT"), *columns), primary_key=("k",), **more)
    return after(Catalog.empty(), CreateDatabase("dw"), CreateTable(table))


def after(state: Catalog, *changes: Change) -> Catalog:
    for change in changes:
        state, _ = apply_change(state, change, default_shards=2)
    return state


def refused(state: Catalog, change: Change, sqlstate: str) -> str:
    with pytest.raises(SluicewayError) as caught:
        apply_change(state, change, default_shards=2)
    assert caught.value.sqlstate == sqlstate
    return str(caught.value)


@pytest.mark.parametrize("chain", CHAINS)
def test_types_widen_along_their_chain_only(chain: str) -> None:
    kinds = [parse_type(text) for text in chain.split()]
    for (i, old), (j, new) in product(enumerate(kinds), repeat=2):
        assert widens(old, new) is (i <= j), (old.sql(), new.sql())


@pytest.mark.parametrize(("old", "new", "cure"), LOSSY)
def test_a_type_that_loses_values_is_refused_with_those_that_do_not(
    old: str, new: str, cure: str
) -> None:
    state = catalog(column("v", old))
    text = refused(state, SetType("dw", "t", "v", parse_type(new)), "42804")
    assert cure in text and "'v' of dw.t" in text


def test_a_wider_type_is_a_new_version_and_keeps_the_old_one() -> None:
    state = catalog(column("v", "INT", default="7"))
    wide = after(state, SetType("dw", "t", "v", parse_type("DECIMAL(12,2)")))
    table = wide.table("dw", "t")
    assert (table.schema_version, table.column("v").id) == (2, 2)
    assert table.column("v").default_scalar().as_py() == 7
    assert wide.schema(table.id, 1).column("v").type == parse_type("INT")
    assert after(wide, SetType("dw", "t", "v", table.column("v").type)) is wide


def test_a_default_keeps_its_value_in_a_wider_type() -> None:
    state = catalog(column("v", "FLOAT", default="0.1"))
    old = state.table("dw", "t").column("v").default_scalar().as_py()
    state = after(state, SetType("dw", "t", "v", parse_type("DOUBLE")))
    assert state.table("dw", "t").column("v").default_scalar().as_py() == old != 0.1


def test_key_columns_widen_where_rows_stay_in_their_shard() -> None:
    state = after(catalog(column("v")), SetType("dw", "t", "k", parse_type("BIGINT")))
    assert state.table("dw", "t").column("k").type == parse_type("BIGINT")
    text = refused(state, SetType("dw", "t", "k", parse_type("DECIMAL(19,0)")), "42P16")
    assert "other shards" in text and "copy the rows" in text


def test_an_id_is_never_used_again() -> None:
    state = after(catalog(column("a"), column("b")), DropColumn("dw", "t", "b"))
    state = after(state, AddColumn("dw", "t", column("b")))
    assert [(c.id, c.name) for c in state.table("dw", "t").columns] == [
        (1, "k"),
        (2, "a"),
        (4, "b"),
    ]
    assert Catalog.from_json(state.to_json()) == state


def test_columns_that_rows_are_found_by_cannot_be_dropped() -> None:
    state = catalog(column("v"))
    assert "primary key" in refused(state, DropColumn("dw", "t", "k"), "42P16")
    assert after(state, DropColumn("dw", "t", "x", if_exists=True)) is state
    assert "'x'" in refused(state, DropColumn("dw", "t", "x"), "42703")
    plain = Table("dw", "p", (column("a"), column("b")), distribution_key=("a",))
    state = after(state, CreateTable(plain))
    assert "distribution key" in refused(state, DropColumn("dw", "p", "a"), "42P16")
    alone = after(state, CreateTable(Table("dw", "o", (column("a"),))))
    assert "only one" in refused(alone, DropColumn("dw", "o", "a"), "42P16")


def test_columns_move() -> None:
    state = catalog(column("a"), column("b"))

    def moved(**where: Any) -> tuple[str, ...]:
        change = MoveColumn("dw", "t", **where)
        return after(state, change).table("dw", "t").column_names

    assert moved(column="b", first=True) == ("b", "k", "a")
    assert moved(column="b", after="k") == ("k", "b", "a")
    assert moved(column="k") == ("a", "b", "k")
    assert after(state, MoveColumn("dw", "t", "a", after="k")) is state
    refused(state, MoveColumn("dw", "t", "a", after="a"), "42601")
    refused(state, MoveColumn("dw", "t", "a", after="x"), "42703")


def test_nullability_changes_but_for_keys() -> None:
    state = after(catalog(column("v")), SetNullable("dw", "t", "v", False))
    assert not state.table("dw", "t").column("v").nullable
    assert state.table("dw", "t").schema_version == 2
    assert after(state, SetNullable("dw", "t", "v", False)) is state
    with pytest.raises(UserError, match="primary key of dw.t"):
        after(state, SetNullable("dw", "t", "k", True))
