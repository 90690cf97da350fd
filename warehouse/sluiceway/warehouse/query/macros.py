"""Functions of PostgreSQL, Hologres and Flink that DuckDB lacks, as macros.

Invariant: the macros with a pattern take it as `patterns` has translated it, and fail for one that
is not translated; formats and names of fields are constants when DuckDB plans, so that a row costs
what its own fields cost.
"""

from __future__ import annotations

import importlib.metadata

import duckdb

from sluiceway.warehouse.query.patterns import COMPUTED, DIALECTS, MAX_PIECES


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Create all macros in the connection's main schema."""
    for statement in _statements():
        connection.execute(statement)


def _statements() -> list[str]:
    version = importlib.metadata.version("sluiceway")
    return [
        _piece(),
        _macro("to_char", *_to_char_forms()),
        _macro("to_date", "(x, mark, f) AS (CAST(strptime(x, f) AS DATE))"),
        _macro(
            "to_timestamp",
            # DuckDB's own to_timestamp(seconds) must stay reachable beside the one with a pattern.
            "(x) AS (system.main.to_timestamp(x))",
            "(x, mark, f) AS (CAST(strptime(x, f) AS TIMESTAMPTZ))",
        ),
        _macro("date_format", "(x, mark, f) AS (strftime(CAST(x AS TIMESTAMP), f))"),
        "CREATE MACRO nvl(a, b) AS coalesce(a, b)",
        f"CREATE MACRO hg_version() AS 'Sluiceway {version}'",
    ]


def _macro(function: str, *forms: str) -> str:
    """Return a macro of several forms; that of a pattern that was not translated fails."""
    name = DIALECTS[function].function
    error = f"[0A000] The pattern of {name} must be a literal text in the query."
    return f"CREATE MACRO {function}{', '.join(forms)}, (x, f) AS (error('{error}'))"


def _piece() -> str:
    """Return the macro of one piece of a pattern: a computed field's name, or a format."""
    cases = " ".join(f"WHEN '{field}' THEN {code}" for field, code in COMPUTED.items())
    return (
        f"CREATE MACRO _to_char_piece(x, piece) AS CASE piece {cases} ELSE strftime(x, piece) END"
    )


def _to_char_forms() -> list[str]:
    """Return to_char(x, mark, piece, …) for each number of pieces."""
    forms = ["(x, mark, f) AS (_to_char_piece(x, f))"]
    for count in range(2, MAX_PIECES + 1):
        names = [f"p{i}" for i in range(count)]
        pieces = " || ".join(f"_to_char_piece(x, {name})" for name in names)
        forms.append(f"(x, mark, {', '.join(names)}) AS ({pieces})")
    return forms
