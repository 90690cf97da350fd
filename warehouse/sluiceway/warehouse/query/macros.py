"""Functions of PostgreSQL, Hologres and Flink that DuckDB lacks, as macros.

Invariant: the macros with a pattern take it as `patterns` has translated it, and fail for one that
is not translated; then strftime gets one constant format, and only the fields that the pattern has
are computed.
"""

from __future__ import annotations

import importlib.metadata

import duckdb

from sluiceway.warehouse.query.patterns import COMPUTED, DIALECTS, MARK, MARKS


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Create all macros in the connection's main schema."""
    for statement in _statements():
        connection.execute(statement)


def _statements() -> list[str]:
    version = importlib.metadata.version("sluiceway")
    java = "strftime(CAST(x AS TIMESTAMP), f[2:])"
    date, instant = (f"CAST(strptime(x, f[2:]) AS {kind})" for kind in ("DATE", "TIMESTAMPTZ"))
    # DuckDB's own to_timestamp(seconds) must stay reachable beside the one with a pattern.
    seconds = "system.main.to_timestamp(x)"
    return [
        f"CREATE MACRO to_char(x, f) AS {_checked('to_char', _to_char())}",
        f"CREATE MACRO to_date(x, f) AS {_checked('to_date', date)}",
        f"""CREATE MACRO to_timestamp(x) AS ({seconds}),
            (x, f) AS ({_checked("to_timestamp", instant)})""",
        f"CREATE MACRO date_format(x, f) AS {_checked('date_format', java)}",
        "CREATE MACRO nvl(a, b) AS coalesce(a, b)",
        f"CREATE MACRO hg_version() AS 'Sluiceway {version}'",
    ]


def _checked(function: str, result: str) -> str:
    name = DIALECTS[function].function
    error = f"[0A000] The pattern of {name} must be a literal text in the query."
    return f"CASE WHEN f NOT LIKE '{MARK}%' THEN error('{error}') ELSE {result} END"


def _to_char() -> str:
    """Return an expression: strftime copies a mark, and its field then takes the mark's place."""
    simple = filled = "strftime(x, f[2:])"
    for field, mark in MARKS.items():
        # Whether the pattern has the field is a constant, so others cost nothing a row.
        value = f"CASE WHEN contains(f, '{mark}') THEN {COMPUTED[field]} ELSE '' END"
        filled = f"replace({filled}, '{mark}', {value})"
    any_mark = f"regexp_matches(f, '[{''.join(MARKS.values())}]')"
    return f"CASE WHEN x IS NULL THEN NULL WHEN {any_mark} THEN {filled} ELSE {simple} END"
