"""Whatever DDL makes, its JSON makes again; what it refuses, it leaves alone."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from sluiceway.catalog import (
    AddColumn,
    AddPartition,
    Catalog,
    Change,
    Column,
    CreateDatabase,
    CreateTable,
    DataType,
    DropColumn,
    DropDatabase,
    DropPartition,
    DropTable,
    MoveColumn,
    RenameColumn,
    RenameTable,
    Root,
    SetComment,
    SetNullable,
    SetOptions,
    SetType,
    SluicewayError,
    Table,
    apply_change,
    change_from_json,
    change_to_json,
    parse_type,
)

_SETTINGS = settings(derandomize=True, database=None)

# Few names, so that changes meet each other's objects.
names = st.sampled_from(["a", "b", "c", "s.a", "public.a", "", "_op", "x.y.z", "dw@w"])
comments = st.none() | st.text(string.printable, max_size=5)


def _scalars() -> st.SearchStrategy[DataType]:
    times = st.sampled_from([Root.TIME, Root.TIMESTAMP, Root.TIMESTAMP_LTZ])
    texts = st.sampled_from([Root.CHAR, Root.VARCHAR, Root.BINARY, Root.VARBINARY])
    plain = set(Root) - {Root.TIME, Root.TIMESTAMP, Root.TIMESTAMP_LTZ, Root.DECIMAL, Root.ARRAY}
    plain -= {Root.CHAR, Root.VARCHAR, Root.BINARY, Root.VARBINARY}
    decimals = st.integers(1, 38).flatmap(
        lambda p: st.integers(0, p).map(lambda s: DataType(Root.DECIMAL, precision=p, scale=s))
    )
    return st.one_of(
        st.sampled_from(sorted(plain, key=str)).map(DataType),
        st.builds(DataType, times, precision=st.integers(0, 9)),
        st.builds(DataType, texts, length=st.integers(1, 2**31 - 1)),
        decimals,
    )


types = _scalars() | _scalars().map(lambda kind: DataType(Root.ARRAY, element=kind))
columns = st.builds(
    Column,
    id=st.just(0),
    name=names,
    type=types,
    nullable=st.booleans(),
    comment=comments,
    default=st.none() | st.sampled_from(["1", "x", "2023-02-15"]),
)
keys = st.lists(names, max_size=2).map(tuple)
options = st.dictionaries(
    st.sampled_from(["binlog", "source.binlog", "table_property.binlog.ttl", "Async", "bad"]),
    st.sampled_from(["true", "false", "60"]),
    max_size=3,
)
tables = st.builds(
    Table,
    database=names,
    name=names,
    columns=st.lists(columns, max_size=4).map(tuple),
    primary_key=keys,
    comment=comments,
    distribution_key=keys,
    partition_by=keys,
    shards=st.integers(0, 4),
    options=options,
)
values = st.dictionaries(names, st.sampled_from(["1", "01", "x"]), max_size=2)
flags = st.booleans()
changes: st.SearchStrategy[Change] = st.one_of(
    st.builds(CreateDatabase, names, comments, flags),
    st.builds(DropDatabase, names, flags, flags),
    st.builds(CreateTable, tables, flags),
    st.builds(DropTable, names, names, flags),
    st.builds(RenameTable, names, names, names, flags),
    st.builds(AddColumn, names, names, columns, st.just(False), st.none() | names, flags),
    st.builds(RenameColumn, names, names, names, names),
    st.builds(DropColumn, names, names, names, flags),
    st.builds(MoveColumn, names, names, names, st.just(False), st.none() | names),
    st.builds(SetType, names, names, names, types),
    st.builds(SetNullable, names, names, names, flags),
    st.builds(SetComment, names, names, st.none() | names, comments),
    st.builds(
        SetOptions, names, names, options, st.lists(st.just("binlog"), max_size=1).map(tuple)
    ),
    st.builds(AddPartition, names, names, values, flags),
    st.builds(DropPartition, names, names, values, flags),
)


@_SETTINGS
@given(types)
def test_types_round_trip_through_their_text(kind: DataType) -> None:
    assert parse_type(kind.sql()) == kind
    assert parse_type(str(kind)) == kind


@_SETTINGS
@given(changes)
def test_changes_round_trip_through_json(change: Change) -> None:
    assert change_from_json(change_to_json(change)) == change


@_SETTINGS
@given(st.lists(changes, max_size=12))
def test_catalogs_round_trip_and_refusals_change_nothing(sequence: list[Change]) -> None:
    catalog = Catalog.empty()
    for change in (CreateDatabase("a"), CreateDatabase("b"), *sequence):
        before = catalog.to_json()
        following = catalog
        try:
            following, _ = apply_change(catalog, change, default_shards=1)
        except SluicewayError as error:
            assert error.sqlstate != "XX000"
        assert catalog.to_json() == before
        catalog = following
        assert Catalog.from_json(catalog.to_json()) == catalog
        for table in catalog.tables.values():
            ids = [column.id for column in table.columns]
            assert len(set(ids)) == len(ids) and 0 not in ids
            for version in range(1, table.schema_version + 1):
                old = catalog.schema(table.id, version)
                assert {column.id for column in old.columns} <= set(ids)
