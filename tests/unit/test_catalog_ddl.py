"""DDL turns one catalog into the next, or says why it cannot."""

from dataclasses import replace
from typing import Any

import pytest

from sluiceway.catalog import (
    MAX_PARTITIONS,
    AddColumn,
    AddPartition,
    Catalog,
    Change,
    Column,
    CreateDatabase,
    CreateTable,
    DropColumn,
    DropDatabase,
    DropPartition,
    DropTable,
    ExistsError,
    MoveColumn,
    NotFoundError,
    Partitions,
    RenameColumn,
    RenameTable,
    SetComment,
    SetNullable,
    SetOptions,
    SetType,
    SluicewayError,
    Table,
    UserError,
    apply_change,
    change_from_json,
    change_to_json,
    parse_type,
)


def column(name: str, kind: str = "BIGINT", **more: Any) -> Column:
    return Column(0, name, parse_type(kind), **more)


def orders(**more: Any) -> Table:
    given = {
        "database": "dw",
        "name": "orders",
        "columns": (column("order_id"), column("shop_id"), column("fee", "DECIMAL(20,2)")),
        "primary_key": ("order_id", "shop_id"),
        **more,
    }
    return Table(**given)


def after(*changes: Change, catalog: Catalog | None = None) -> Catalog:
    state = Catalog.empty() if catalog is None else catalog
    for change in changes:
        state, _ = apply_change(state, change, default_shards=2)
    return state


@pytest.fixture
def catalog() -> Catalog:
    return after(CreateDatabase("dw", "a warehouse"), CreateTable(orders()))


def refused(catalog: Catalog, change: Change, kind: type[SluicewayError], sqlstate: str) -> str:
    before = catalog.to_json()
    with pytest.raises(kind) as caught:
        apply_change(catalog, change, default_shards=2)
    assert caught.value.sqlstate == sqlstate
    assert catalog.to_json() == before
    return str(caught.value)


def test_create_gives_ids_keys_and_shards(catalog: Catalog) -> None:
    table = catalog.table("dw", "orders")
    assert (table.id, table.generation, table.schema_version, table.shards) == (1, 1, 1, 2)
    assert [c.id for c in table.columns] == [1, 2, 3]
    assert [c.nullable for c in table.columns] == [False, False, True]
    assert table.distribution_key == table.primary_key
    assert catalog.table_by_id(1) is table
    assert catalog.table("dw", "public.orders") is table


def test_apply_leaves_the_catalog_before_as_it_was(catalog: Catalog) -> None:
    before = catalog.to_json()
    after(
        AddColumn("dw", "orders", column("note", "STRING")),
        RenameTable("dw", "orders", "o"),
        DropDatabase("dw", cascade=True),
        catalog=catalog,
    )
    assert catalog.to_json() == before


def test_properties_choose_shards_and_distribution(catalog: Catalog) -> None:
    options = {"TABLE_PROPERTY.shard_count": "8", "table_property.distribution_key": "shop_id"}
    table = after(CreateTable(orders(name="o2", options=options)), catalog=catalog).table(
        "dw", "o2"
    )
    assert (table.shards, table.distribution_key) == (8, ("shop_id",))
    assert table.properties.shard_count == 8
    assert table.properties.binlog_ttl_s == 2_592_000


@pytest.mark.parametrize(
    ("more", "kind", "sqlstate", "words"),
    [
        ({"columns": ()}, UserError, "42P16", "no column"),
        ({"columns": (column("a"), column("a"))}, ExistsError, "42701", "'a'"),
        ({"columns": (column("_op "),)}, UserError, "42602", "blanks"),
        ({"primary_key": ("order_ib",)}, NotFoundError, "42703", '"order_id"'),
        ({"primary_key": ("order_id", "order_id")}, UserError, "42P16", "twice"),
        (
            {"primary_key": (), "options": {"table_property.orientation": "row,column"}},
            UserError,
            "42P16",
            "no primary key",
        ),
        (
            {"columns": (column("x", "DOUBLE"),), "primary_key": ("x",)},
            UserError,
            "42P16",
            "DOUBLE",
        ),
        (
            {"columns": (column("x", "ARRAY<INT>"),), "primary_key": ("x",)},
            UserError,
            "42P16",
            "ARRAY<INT>",
        ),
        ({"distribution_key": ("fee",)}, UserError, "42P16", "one shard"),
        ({"partition_by": ("fee",)}, UserError, "42P16", "STRING, DATE or a whole number"),
        ({"partition_by": ("day",)}, NotFoundError, "42703", "day"),
        ({"partition_by": ("shop_id",) * 2}, UserError, "42P16", "twice"),
        ({"partition_by": ("shop_id",) * 3}, UserError, "54011", "2 are the most"),
        (
            {"primary_key": ("order_id",), "partition_by": ("shop_id",)},
            UserError,
            "42P16",
            "rows of one key must meet in one partition",
        ),
        ({"shards": 2000}, UserError, "22023", "1024"),
        ({"shards": 3, "options": {"table_property.shard_count": "4"}}, UserError, "22023", "4"),
        ({"options": {"table_property.binlog.tll": "1"}}, UserError, "22023", "binlog.ttl"),
        ({"database": "dv"}, NotFoundError, "3D000", "Databases: dw"),
        ({"name": "a.b.c"}, UserError, "42602", "schema.table"),
        ({"columns": (column("a", "INT", default="x"),)}, UserError, "22P02", "'x'"),
    ],
)
def test_tables_that_cannot_be(
    catalog: Catalog, more: dict[str, Any], kind: type[SluicewayError], sqlstate: str, words: str
) -> None:
    more = {"name": "bad", **({"primary_key": ()} if "columns" in more else {}), **more}
    assert words in refused(catalog, CreateTable(orders(**more)), kind, sqlstate)


def test_if_not_exists_and_if_exists_change_nothing(catalog: Catalog) -> None:
    same, table = apply_change(catalog, CreateTable(orders(), if_not_exists=True), default_shards=9)
    assert same is catalog and table is catalog.table("dw", "orders")
    for change in (
        CreateDatabase("dw", if_not_exists=True),
        DropDatabase("none", if_exists=True),
        DropTable("dw", "none", if_exists=True),
        DropTable("none", "none", if_exists=True),
        RenameTable("dw", "none", "x", if_exists=True),
        AddColumn("dw", "orders", column("fee", "INT"), if_not_exists=True),
        RenameColumn("dw", "orders", "fee", "fee"),
    ):
        assert apply_change(catalog, change, default_shards=2)[0] is catalog


def test_what_exists_cannot_be_created_again(catalog: Catalog) -> None:
    refused(catalog, CreateDatabase("dw"), ExistsError, "42P04")
    refused(catalog, CreateTable(orders(name="public.orders")), ExistsError, "42P07")
    refused(catalog, AddColumn("dw", "orders", column("fee")), ExistsError, "42701")
    refused(catalog, RenameColumn("dw", "orders", "fee", "shop_id"), ExistsError, "42701")
    two = after(CreateTable(orders(name="o2")), catalog=catalog)
    refused(two, RenameTable("dw", "o2", "orders"), ExistsError, "42P07")


def test_what_does_not_exist_is_named_with_its_neighbour(catalog: Catalog) -> None:
    assert '"orders"' in refused(catalog, DropTable("dw", "ordesr"), NotFoundError, "42P01")
    assert "Databases: dw" in refused(catalog, DropDatabase("zzz"), NotFoundError, "3D000")
    refused(catalog, RenameColumn("dw", "orders", "x", "y"), NotFoundError, "42703")
    refused(catalog, AddColumn("dw", "orders", column("x"), after="y"), NotFoundError, "42703")


def test_ids_are_never_used_again(catalog: Catalog) -> None:
    again = after(DropTable("dw", "orders"), CreateTable(orders()), catalog=catalog)
    assert again.table("dw", "orders").id == 2
    with pytest.raises(NotFoundError, match="dropped"):
        again.table_by_id(1)
    wider = after(
        AddColumn("dw", "orders", column("a"), first=True),
        AddColumn("dw", "orders", column("b"), after="a"),
        catalog=catalog,
    )
    assert [(c.id, c.name) for c in wider.table("dw", "orders").columns][:2] == [(4, "a"), (5, "b")]


def test_a_full_database_is_dropped_only_by_cascade(catalog: Catalog) -> None:
    assert "orders" in refused(catalog, DropDatabase("dw"), UserError, "2BP01")
    assert after(DropDatabase("dw", cascade=True), catalog=catalog).tables == {}


def test_earlier_schemas_stay_known_under_the_new_name(catalog: Catalog) -> None:
    later = after(
        AddColumn("dw", "orders", column("note", "STRING")),
        RenameColumn("dw", "orders", "order_id", "id"),
        RenameTable("dw", "orders", "o"),
        catalog=catalog,
    )
    table = later.table("dw", "o")
    assert (table.schema_version, table.primary_key) == (3, ("id", "shop_id"))
    first, second = later.schema(1, 1), later.schema(1, 2)
    assert first.column_names == ("order_id", "shop_id", "fee")
    assert second.column_names == ("order_id", "shop_id", "fee", "note")
    assert first.primary_key == ("order_id", "shop_id") and first.name == "o"
    assert later.schema(1, 3) is table
    with pytest.raises(NotFoundError, match="version 4"):
        later.schema(1, 4)
    assert Catalog.from_json(later.to_json()) == later


def test_a_renamed_column_is_renamed_in_the_distribution_key() -> None:
    options = {"table_property.distribution_key": "shop_id"}
    catalog = after(
        CreateDatabase("dw"),
        CreateTable(orders(options=options)),
        RenameColumn("dw", "orders", "shop_id", "shop"),
    )
    table = catalog.table("dw", "orders")
    assert table.distribution_key == table.properties.distribution_key == ("shop",)


def test_an_added_column_must_have_a_value_for_old_rows(catalog: Catalog) -> None:
    bare = column("n", nullable=False)
    refused(catalog, AddColumn("dw", "orders", bare), UserError, "23502")
    filled = column("n", nullable=False, default="7")
    table = after(AddColumn("dw", "orders", filled), catalog=catalog).table("dw", "orders")
    assert table.column("n").default_scalar().as_py() == 7


def test_comments_and_options_keep_the_schema_version(catalog: Catalog) -> None:
    later = after(
        SetComment("dw", "orders", None, "all orders"),
        SetComment("dw", "orders", "fee", "paid"),
        SetOptions("dw", "orders", {"binlog": "true", "table_property.binlog.ttl": "60"}),
        SetOptions("dw", "orders", {"source.binlog": "false"}, ("TABLE_PROPERTY.BINLOG.TTL",)),
        catalog=catalog,
    )
    table = later.table("dw", "orders")
    assert (table.comment, table.column("fee").comment) == ("all orders", "paid")
    assert table.schema_version == 1
    assert table.options == {"source.binlog": "false"}


@pytest.mark.parametrize("orientation", ["column", "row", "row,column"])
def test_an_orientation_is_kept_with_the_table(catalog: Catalog, orientation: str) -> None:
    options = {"table_property.orientation": orientation}
    create = CreateTable(orders(name="o2", options=options))
    table = after(create, catalog=catalog).table("dw", "o2")
    assert table.options == options
    assert table.properties.values == options


def test_options_fixed_at_creation_cannot_be_altered(catalog: Catalog) -> None:
    wrong = {"table_property.shard_count": "3", "foo.bar": "x", "async": "perhaps"}
    change = SetOptions("dw", "orders", wrong, ("table_property.orientation", "bar.foo"))
    text = refused(catalog, change, UserError, "22023")
    assert all(key in text for key in (*wrong, *change.reset))


_CHANGES: list[Change] = [
    CreateDatabase("dw", "c", True),
    DropDatabase("dw", True, True),
    CreateTable(orders(), True),
    DropTable("dw", "orders", True),
    RenameTable("dw", "orders", "o", True),
    AddColumn("dw", "orders", column("x")),
    AddColumn("dw", "orders", column("x"), first=True),
    AddColumn("dw", "orders", column("x", default="1"), after="fee", if_not_exists=True),
    RenameColumn("dw", "orders", "fee", "f"),
    DropColumn("dw", "orders", "fee", True),
    MoveColumn("dw", "orders", "fee", first=True),
    MoveColumn("dw", "orders", "fee", after="order_id"),
    SetType("dw", "orders", "fee", parse_type("DECIMAL(30,2)")),
    SetNullable("dw", "orders", "fee", False),
    SetComment("dw", "orders", None, None),
    SetComment("dw", "orders", "fee", "c"),
    SetOptions("dw", "orders", {"binlog": "true"}, ("async",)),
]


@pytest.mark.parametrize("change", _CHANGES, ids=lambda change: type(change).__name__)
def test_changes_round_trip_through_json(change: Change) -> None:
    assert change_from_json(change_to_json(change)) == change


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "kind"),
        ({"kind": "create_tabel"}, "create_table"),
        ({"kind": "drop_table", "database": "a", "table": "b", "if_exist": True}, "if_exists"),
        ({"kind": "drop_table", "database": "a"}, "'table'"),
        ({"kind": "drop_table", "database": "a", "table": "b", "if_exists": 1}, "true or false"),
        ({"kind": "create_table", "table": {"database": "a", "name": "b"}}, "columns"),
        ({"kind": "create_table", "table": {"colums": []}}, "columns"),
        (
            {"kind": "add_column", "database": "a", "table": "b", "column": {}, "position": "last"},
            "position",
        ),
        ({"kind": "set_nullable", "database": "a", "table": "b", "column": "c"}, "nullable"),
        ({"kind": "set_options", "database": "a", "table": "b", "set": {"k": 1}}, "texts"),
    ],
)
def test_malformed_changes_are_refused(document: object, words: str) -> None:
    with pytest.raises(UserError) as caught:
        change_from_json(document)
    assert words in str(caught.value) and caught.value.sqlstate == "22032"


def test_arrow_schema_follows_the_columns_named(catalog: Catalog) -> None:
    table = catalog.table("dw", "orders")
    assert table.arrow_schema().names == ["order_id", "shop_id", "fee"]
    assert table.arrow_schema(["fee", "order_id"]).names == ["fee", "order_id"]
    assert not table.arrow_schema().field("order_id").nullable
    with pytest.raises(NotFoundError, match="fee"):
        table.arrow_schema(["fees"])


def test_partitions_have_ids_that_are_never_used_again(catalog: Catalog) -> None:
    catalog = after(CreateTable(orders(name="parts", partition_by=("shop_id",))), catalog=catalog)
    table = catalog.table("dw", "parts")
    for shop in ("7", " 08", "9"):
        catalog = after(AddPartition("dw", "parts", {"shop_id": shop}), catalog=catalog)
    assert catalog.partitions_of(table) == {("7",): 1, ("8",): 2, ("9",): 3}
    assert catalog.units(table) == [1024, 1025, 2048, 2049, 3072, 3073]
    drop = DropPartition("dw", "parts", {"shop_id": "9"})
    catalog = after(drop, AddPartition("dw", "parts", {"shop_id": "9"}), catalog=catalog)
    assert catalog.partitions_of(table) == {("7",): 1, ("8",): 2, ("9",): 4}
    assert Catalog.from_json(catalog.to_json()) == catalog
    assert after(DropTable("dw", "parts"), catalog=catalog).partitions == {}


def test_partitions_that_are_there_or_are_not(catalog: Catalog) -> None:
    catalog = after(
        CreateTable(orders(name="parts", partition_by=("shop_id",))),
        AddPartition("dw", "parts", {"shop_id": "10"}),
        catalog=catalog,
    )
    add = AddPartition("dw", "parts", {"shop_id": "010"})
    assert "shop_id='10'" in refused(catalog, add, ExistsError, "42P07")
    assert after(replace(add, if_not_exists=True), catalog=catalog) is catalog
    drop = DropPartition("dw", "parts", {"shop_id": "11"})
    text = refused(catalog, drop, NotFoundError, "42P01")
    assert "shop_id='11'" in text and "shop_id='10'" in text
    assert after(replace(drop, if_exists=True), catalog=catalog) is catalog


def test_there_is_a_most_of_partitions() -> None:
    table = orders(partition_by=("shop_id",))
    full = Partitions({(str(number),): number + 1 for number in range(MAX_PARTITIONS)})
    with pytest.raises(UserError, match="10000 partitions, which are the most") as caught:
        full.with_new(table, ("a",))
    assert caught.value.sqlstate == "54000"
