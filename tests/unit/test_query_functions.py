"""Functions of PostgreSQL, Hologres and Flink, against known answers."""

import datetime
import importlib.metadata
from typing import Any

import pytest

from sluiceway.catalog import Catalog, UserError
from sluiceway.warehouse.query import run_sql

_TIME = "TIMESTAMP '2023-02-05 13:02:03.456789'"  # a Sunday


class Empty:
    """A snapshot of nothing."""

    lsn = 1
    catalog = Catalog.empty()

    def batches(self, *_: Any) -> Any:
        raise AssertionError("no table is asked")

    lookup = count = batches


def value(expression: str) -> Any:
    (row,) = run_sql(Empty(), f"SELECT '年' AS a, {expression} AS b").read_all().to_pylist()
    return row["b"]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("YYYYMMDD", "20230205"),
        ("YYYY-MM-DD HH24:MI:SS", "2023-02-05 13:02:03"),
        ("yyyy-mm-dd hh24:mi:ss", "2023-02-05 13:02:03"),
        ("YYMM", "2302"),
        ("HH12:MI AM", "01:02 PM"),
        ("HH:MI pm", "01:02 pm"),
        ("SS.MS", "03.456"),
        ("SS.US", "03.456789"),
        ("DDD", "036"),
        ("Mon DD, YYYY", "Feb 05, 2023"),
        ("MON mon", "FEB feb"),
        ("[Month] [MONTH] [month]", "[February ] [FEBRUARY ] [february ]"),
        ("[Day] [DAY] [day]", "[Sunday   ] [SUNDAY   ] [sunday   ]"),
        ("Dy DY dy", "Sun SUN sun"),
        ("ID D", "7 1"),
        ("YYYY-Q", "2023-1"),
        ('YYYY"Q"Q', "2023Q1"),
        ("IYYY-IW", "2023-05"),
        ("WW W", "06 1"),
        ("MIDD MMSS", "0205 0203"),
        ('YYYY"年"MM"%"', "2023年02%"),
        ("YYYY''MM%", "2023'02%"),
        ("Q", "1"),
    ],
)
def test_to_char(pattern: str, text: str) -> None:
    assert value(f"to_char({_TIME}, '{pattern}')") == text


def test_to_char_of_dates_instants_and_null() -> None:
    assert value("TO_CHAR(DATE '2023-02-05', 'YYYYMMDD Q')") == "20230205 1"
    assert value("TO_CHAR(TIMESTAMPTZ '2023-02-05 02:00:00+08', 'YYYY-MM-DD HH24')") == (
        "2023-02-04 18"
    )
    assert value("TO_CHAR(NULL::TIMESTAMP, 'YYYY Q')") is None


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (f"to_char({_TIME}, 'FMMonth')", "no field FMMonth"),
        (f"to_char({_TIME}, 'SSXX')", "no field XX"),
        (f"to_char({_TIME}, 'YYYY\"')", 'no field "'),
        (f"to_char({_TIME}, 'TMDay')", "no field TMDay"),
        (f"to_char({_TIME}, '')", "pieces"),
        (f"to_char({_TIME}, 'Q' || 'Q')", "literal"),
        ("to_date('x', 'Q')", "TO_DATE has no field Q"),
        ("date_format('x', 'yyyy-QQ')", "DATE_FORMAT has no field QQ"),
    ],
)
def test_patterns_that_are_not_known_fail_by_name(expression: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        value(expression)
    assert caught.value.sqlstate == "0A000" and words in str(caught.value)


def test_texts_are_parsed_by_pattern() -> None:
    assert value("TO_DATE('20230215', 'YYYYMMDD')") == datetime.date(2023, 2, 15)
    assert value("TO_DATE('15 Feb 2023', 'DD Mon YYYY')") == datetime.date(2023, 2, 15)
    found = value("TO_TIMESTAMP('2023-02-15 01:02:03', 'YYYY-MM-DD HH24:MI:SS')")
    assert found == datetime.datetime(2023, 2, 15, 1, 2, 3, tzinfo=datetime.UTC)
    assert value("TO_DATE(NULL, 'YYYY')") is None
    with pytest.raises(UserError, match="Could not parse"):
        value("TO_DATE('2023x', 'YYYYMM')")


def test_seconds_are_still_made_to_timestamps() -> None:
    assert value("to_timestamp(5)") == datetime.datetime(1970, 1, 1, 0, 0, 5, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("yyyyMMdd", "20230205"),
        ("yyyy-MM-dd''T''HH:mm:ss.SSS", "2023-02-05T13:02:03.456"),
        ("EEE, d MMM yyyy h a", "Sun, 5 Feb 2023 1 PM"),
    ],
)
def test_date_format_is_flinks(pattern: str, text: str) -> None:
    assert value(f"DATE_FORMAT({_TIME}, '{pattern}')") == text
    assert value(f"DATE_FORMAT('2023-02-05 13:02:03.456', '{pattern}')") == text


def test_small_functions() -> None:
    assert value("nvl(NULL, 3)") == 3
    assert value("hg_version()") == f"Sluiceway {importlib.metadata.version('sluiceway')}"
