"""Types: every text that Flink, Hologres or PostgreSQL writes, and the Arrow type behind it."""

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from sluiceway.catalog import Column, UserError, from_arrow, parse_type

_TEXTS = [
    ("BOOLEAN", "BOOLEAN", pa.bool_()),
    ("tinyint", "TINYINT", pa.int8()),
    ("SMALLINT", "SMALLINT", pa.int16()),
    ("INTEGER NOT NULL", "INT", pa.int32()),
    ("INT8", "BIGINT", pa.int64()),
    ("REAL", "FLOAT", pa.float32()),
    ("DOUBLE PRECISION", "DOUBLE", pa.float64()),
    ("NUMERIC(20,2)", "DECIMAL(20, 2)", pa.decimal128(20, 2)),
    ("DEC(5)", "DECIMAL(5, 0)", pa.decimal128(5, 0)),
    ("DECIMAL", "DECIMAL(10, 0)", pa.decimal128(10, 0)),
    ("CHAR(3)", "CHAR(3)", pa.utf8()),
    ("varchar(50)", "VARCHAR(50)", pa.utf8()),
    ("STRING", "VARCHAR(2147483647)", pa.utf8()),
    ("TEXT", "VARCHAR(2147483647)", pa.utf8()),
    ("JSONB", "VARCHAR(2147483647)", pa.utf8()),
    ("BINARY(4)", "BINARY(4)", pa.binary()),
    ("VARBINARY(4)", "VARBINARY(4)", pa.binary()),
    ("VARBINARY(2147483647)", "BYTES", pa.binary()),
    ("BYTEA", "BYTES", pa.binary()),
    ("DATE", "DATE", pa.date32()),
    ("TIME", "TIME(0)", pa.time32("ms")),
    ("TIME(3) WITHOUT TIME ZONE", "TIME(3)", pa.time32("ms")),
    ("TIMESTAMP", "TIMESTAMP(6)", pa.timestamp("us")),
    ("TIMESTAMP(3) WITHOUT TIME ZONE NOT NULL", "TIMESTAMP(3)", pa.timestamp("us")),
    ("TIMESTAMP(9)", "TIMESTAMP(9)", pa.timestamp("ns")),
    ("TIMESTAMP(6) WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(6)", pa.timestamp("us", "UTC")),
    ("TIMESTAMPTZ", "TIMESTAMP_LTZ(6)", pa.timestamp("us", "UTC")),
    ("TIMESTAMP_LTZ(9)", "TIMESTAMP_LTZ(9)", pa.timestamp("ns", "UTC")),
    ("ARRAY<INT NOT NULL> NOT NULL", "ARRAY<INT>", pa.list_(pa.field("item", pa.int32()))),
    ("text[]", "ARRAY<VARCHAR(2147483647)>", pa.list_(pa.field("item", pa.utf8()))),
]


@pytest.mark.parametrize(("text", "canonical", "arrow"), _TEXTS)
def test_each_text_has_one_canonical_form(text: str, canonical: str, arrow: pa.DataType) -> None:
    kind = parse_type(text)
    assert kind.sql() == canonical
    assert kind.arrow() == arrow
    assert parse_type(canonical) == kind
    assert from_arrow(arrow).arrow() == arrow


@pytest.mark.parametrize(
    ("text", "sqlstate", "words"),
    [
        ("BIGIN", "42704", '"BIGINT"'),
        ("MAP<INT, INT>", "42704", "MAP"),
        ("ARRAY<ARRAY<INT>>", "0A000", "scalar"),
        ("DECIMAL(39, 2)", "42611", "1 to 38"),
        ("DECIMAL(5, 6)", "42611", "scale 6"),
        ("TIMESTAMP(10)", "42611", "0 to 9"),
        ("INT(11)", "42601", "no length"),
        ("VARCHAR(1, 2)", "42601", "one number"),
        ("DECIMAL(1, 2, 3)", "42601", "','"),
        ("VARCHAR(", "42601", "missing"),
        ("INT INT", "42601", "after the type"),
        ("INT;", "42601", "';'"),
        ("ARRAY<INT", "42601", "'>'"),
        ("TIMESTAMP WITH TIME ZONE", "42601", "LOCAL"),
        ("", "42601", "missing"),
    ],
)
def test_other_texts_are_refused_with_the_reason(text: str, sqlstate: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_type(text)
    assert caught.value.sqlstate == sqlstate
    assert words in str(caught.value)


def test_widths_tell_fixed_from_variable() -> None:
    widths = {text: parse_type(text).fixed_bits for text, _, _ in _TEXTS}
    assert widths["BOOLEAN"] == 1 and widths["DATE"] == widths["TIME"] == 32
    assert widths["NUMERIC(20,2)"] == 128 and widths["TIMESTAMP"] == 64
    assert [t for t, bits in widths.items() if bits is None] == [
        t for t, _, _ in _TEXTS if parse_type(t).is_variable
    ]


def test_unsigned_and_dictionary_arrow_types_widen() -> None:
    assert from_arrow(pa.uint32()).sql() == "BIGINT"
    assert from_arrow(pa.dictionary(pa.int8(), pa.utf8())).sql() == "VARCHAR(2147483647)"
    with pytest.raises(UserError, match="cast"):
        from_arrow(pa.month_day_nano_interval())


def _default(kind: str, text: str | None) -> object:
    return Column(1, "c", parse_type(kind), True, None, text).default_scalar().as_py()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("INT", None, None),
        ("INT", " 5 ", 5),
        ("BOOLEAN", "true", True),
        ("DECIMAL(20, 2)", "1.5", Decimal("1.50")),
        ("VARCHAR(3)", " ab", " ab"),
        ("BYTES", "ab", b"ab"),
        ("DATE", "2023-02-15", datetime.date(2023, 2, 15)),
        ("TIME(3)", "12:40:56.125", datetime.time(12, 40, 56, 125000)),
        ("TIMESTAMP(3)", "2023-02-15 12:40:56", datetime.datetime(2023, 2, 15, 12, 40, 56)),
        (
            "TIMESTAMP_LTZ(3)",
            "2023-02-15 12:40:56",
            datetime.datetime(2023, 2, 15, 12, 40, 56, tzinfo=datetime.UTC),
        ),
        (
            "TIMESTAMP_LTZ(3)",
            "2023-02-15 20:40:56+08:00",
            datetime.datetime(2023, 2, 15, 12, 40, 56, tzinfo=datetime.UTC),
        ),
    ],
)
def test_defaults_are_values_of_the_columns_type(kind: str, text: str | None, value: str) -> None:
    found = _default(kind, text)
    if isinstance(found, datetime.datetime) and found.tzinfo:
        found = found.astimezone(datetime.UTC)
    assert found == value


@pytest.mark.parametrize(
    ("kind", "text", "sqlstate"),
    [
        ("TINYINT", "300", "22P02"),
        ("INT", "x", "22P02"),
        ("DECIMAL(4, 2)", "1.505", "22P02"),
        ("TIME(3)", "12:40:56.0001", "22P02"),
        ("VARCHAR(2)", "abc", "22001"),
        ("BINARY(2)", "abc", "22001"),
        ("ARRAY<INT>", "[1]", "0A000"),
    ],
)
def test_defaults_that_do_not_fit_are_refused(kind: str, text: str, sqlstate: str) -> None:
    with pytest.raises(UserError) as caught:
        _default(kind, text)
    assert caught.value.sqlstate == sqlstate and repr(text) in str(caught.value)
