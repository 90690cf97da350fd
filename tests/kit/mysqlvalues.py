"""Random tables of MySQL's types with the values at their edges, and what each side makes of them.

Invariants: a literal is one that the server stores as it is written; FLOAT and DOUBLE have values
that both hold exactly; `canonical` brings PyMySQL's and the warehouse's values of one column to one
form, and nothing else.
"""

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

_TEXTS = ["''", "'a'", "'it''s'", r"'x\\y'", "'é漢😀'", "' blank '", r"'tab\t nl\n'", "'\"'"]
_DAYS = [
    "'0002-11-30'",
    "'0069-12-31'",
    "'1000-01-01'",
    "'1970-01-01'",
    "'2000-02-29'",
    "'9999-12-31'",
]
_CLOCKS = ["00:00:00", "08:30:00", "23:59:59"]

TYPES: dict[str, list[str]] = {
    "TINYINT": ["-128", "127", "0"],
    "TINYINT UNSIGNED": ["0", "255"],
    "SMALLINT": ["-32768", "32767"],
    "SMALLINT UNSIGNED": ["0", "65535"],
    "MEDIUMINT": ["-8388608", "8388607"],
    "MEDIUMINT UNSIGNED": ["0", "16777215"],
    "INT": ["-2147483648", "2147483647"],
    "INT UNSIGNED": ["0", "4294967295"],
    "BIGINT": ["-9223372036854775808", "9223372036854775807"],
    "BIGINT UNSIGNED": ["0", "18446744073709551615"],
    "BOOLEAN": ["TRUE", "FALSE"],
    "FLOAT": ["1.5", "-0.25", "1024.5", "0"],
    "DOUBLE": ["1.5", "-0.1", "1e300", "0"],
    "DECIMAL(20,4)": ["-1234567890123456.7891", "0.0001", "0"],
    "DECIMAL(38,0)": ["99999999999999999999999999999999999999", "-1"],
    "DATE": _DAYS,
    "DATETIME": [f"{day[:-1]} {clock}'" for day in _DAYS for clock in _CLOCKS],
    "DATETIME(3)": ["'0001-01-01 00:00:00.001'", "'1969-12-31 23:59:59.678'"],
    "DATETIME(6)": ["'2026-01-02 03:04:05.678901'", "'1969-12-31 23:59:59.000001'"],
    "TIMESTAMP(6) NULL": ["'1970-01-01 00:00:01.000000'", "'2038-01-19 03:14:07.999999'"],
    "TIME": [f"'{clock}'" for clock in _CLOCKS],
    "TIME(3)": ["'23:59:59.999'", "'00:00:00.001'"],
    "YEAR": ["0", "1901", "2000", "2069", "2155"],
    "CHAR(9)": ["''", "'a'", "'it''s'", "'é漢'"],
    "VARCHAR(20)": _TEXTS,
    "VARCHAR(20) CHARACTER SET latin1": ["''", "'é'", "'it''s'"],
    "TEXT": _TEXTS,
    "ENUM('a','it''s','b,c','é',' s')": ["'a'", "'it''s'", "'b,c'", "'é'", "' s'"],
    r"ENUM('x\\y','\'q','n')": [r"'x\\y'", r"'\'q'", "'n'"],
    "SET('x','it''s','z')": ["''", "'x'", "'x,it''s,z'"],
    "BIT(1)": ["b'0'", "b'1'"],
    "BIT(9)": ["b'0'", "b'100000000'", "b'111111111'"],
    "BIT(64)": ["b'0'", "b'1" + "0" * 63 + "'", "0xFF00000000000000"],
    "BINARY(4)": ["0x00000000", "0x01020000", "0x00000001", "0xFFFFFFFF"],
    "VARBINARY(6)": ["x''", "0x00", "0x010200", "0x000000000000"],
    "BLOB": ["x''", "0x0000", "0x00FF10"],
    "UUID": [f"'{u}'" for u in (
        "00000000-0000-0000-0000-000000000000", "7224fdbb-6850-450d-955b-82954163dd00",
        "00112233-4455-6677-8899-aabbccddee00", "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "6ccd780c-baba-1026-9564-5b8c65602400", "01895c9c-5f00-7000-8000-000000000000")],
}  # fmt: skip


def table(name: str, rng: random.Random, columns: int, rows: int) -> tuple[str, str]:
    """Return CREATE and INSERT of a table `name (id INT PRIMARY KEY, c0, c1, …)`."""
    types = [rng.choice(list(TYPES)) for _ in range(columns)]
    body = ", ".join(f"c{n} {kind}" for n, kind in enumerate(types))
    values = []
    for number in range(rows):
        cells = [rng.choice(["NULL", *TYPES[kind] * 3]) for kind in types]
        values.append(f"({number}, {', '.join(cells)})")
    return (
        f"CREATE TABLE {name} (id INT PRIMARY KEY, {body})",
        f"INSERT INTO {name} VALUES {', '.join(values)}",
    )


def added(rng: random.Random, number: int) -> str:
    """Return the clause that adds a column with a constant default."""
    kind = rng.choice([k for k in TYPES if "BIN" not in k and "BLOB" not in k and "BIT" not in k
                       and k not in ("TEXT", "UUID", "YEAR") and "TIMESTAMP" not in k])  # fmt: skip
    # Debezium's parser writes midnight of 1970-01-01 for a computed default, so the sync stops.
    default = rng.choice([d for d in TYPES[kind] if d != "'1970-01-01 00:00:00'"])
    null = rng.choice(["NULL", "NOT NULL"])
    place = rng.choice(["", " FIRST", " AFTER id"])
    return f"ADD COLUMN n{number} {kind} {null} DEFAULT {default} COMMENT 'a default (x)'{place}"


def canonical(value: Any) -> Any:
    """Return one form of a value of either side."""
    match value:
        case bool():  # BIT(1): a BOOLEAN of MySQL is a number on both sides
            return ("bits", int(value))
        case bytes() if len(value) <= 1:
            return ("bits", int.from_bytes(value, "big")) if value else b""
        case datetime():
            return value.replace(tzinfo=None)
        case date():
            return datetime(value.year, value.month, value.day)
        case time():
            return timedelta(
                hours=value.hour, minutes=value.minute, seconds=value.second,
                microseconds=value.microsecond,
            )  # fmt: skip
        case Decimal() if value == value.to_integral_value():
            return int(value)
    return value
