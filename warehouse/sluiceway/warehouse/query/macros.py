"""Functions of PostgreSQL, Hologres and Flink that DuckDB lacks, as macros.

Invariants: a date pattern is cut into tokens, longest first, and every token is either translated
or named in an error (SQLSTATE 0A000): none is passed through in silence. Patterns of plain fields
become one constant strftime format, folded when the query is planned; only patterns with fields
that strftime lacks (Q, ID, upper-case or padded names, …) are built a field at a time.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping

import duckdb

HG_VERSION = f"Sluiceway {importlib.metadata.version('sluiceway')}"

# Field of TO_CHAR → strftime. Numeric fields may be written in lower case as well.
_PLAIN = {
    "YYYY": "%Y",
    "YY": "%y",
    "MM": "%m",
    "DDD": "%j",
    "DD": "%d",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%I",
    "MI": "%M",
    "SS": "%S",
    "MS": "%g",
    "US": "%f",
    "IYYY": "%G",
    "IW": "%V",
}
_PLAIN |= {field.lower(): code for field, code in _PLAIN.items()}
_PLAIN |= {"Mon": "%b", "Dy": "%a", "AM": "%p", "PM": "%p"}
# Field → expression over `x`, for what strftime does not have.
_COMPUTED = {
    "MONTH": "rpad(upper(strftime(x, '%B')), 9, ' ')",
    "Month": "rpad(strftime(x, '%B'), 9, ' ')",
    "month": "rpad(lower(strftime(x, '%B')), 9, ' ')",
    "MON": "upper(strftime(x, '%b'))",
    "mon": "lower(strftime(x, '%b'))",
    "DAY": "rpad(upper(strftime(x, '%A')), 9, ' ')",
    "Day": "rpad(strftime(x, '%A'), 9, ' ')",
    "day": "rpad(lower(strftime(x, '%A')), 9, ' ')",
    "DY": "upper(strftime(x, '%a'))",
    "dy": "lower(strftime(x, '%a'))",
    "am": "lower(strftime(x, '%p'))",
    "pm": "lower(strftime(x, '%p'))",
    "ID": "isodow(x)::VARCHAR",
    "D": "(dayofweek(x) + 1)::VARCHAR",
    "Q": "quarter(x)::VARCHAR",
    "WW": "lpad(((dayofyear(x) + 6) // 7)::VARCHAR, 2, '0')",
    "W": "((day(x) + 6) // 7)::VARCHAR",
}
# Letters of Flink's DATE_FORMAT (java.time patterns) → strftime.
_JAVA = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "DDD": "%j",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "ss": "%S",
    "SSSSSS": "%f",
    "SSS": "%g",
    "EEEE": "%A",
    "EEE": "%a",
    "E": "%a",
    "a": "%p",
}
_PARSED = {key: code for key, code in _PLAIN.items() if code not in ("%G", "%V")}


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Create all macros in the connection's main schema."""
    for statement in _STATEMENTS:
        connection.execute(statement)


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _tokens(fields: Iterable[str], quote: str) -> str:
    """Return the expression that cuts pattern `f` into fields, quoted texts and single signs."""
    longest_first = sorted(fields, key=lambda field: (-len(field), field))
    quoted = f"{quote}[^{quote}]*{quote}"
    pattern = "|".join([*longest_first, quoted, "[A-Za-z]+", "[^A-Za-z]"])
    return f"regexp_extract_all(f, {_quoted(pattern)})"


def _translation(macro: str, codes: Mapping[str, str], quote: str = '"') -> list[str]:
    """Return macros for a pattern: its strftime format, and its first unknown field or NULL.

    The format alone never fails: DuckDB folds error() into no constant, and strftime wants one.
    """
    pairs = ", ".join(f"{_quoted(field)}: {_quoted(code)}" for field, code in codes.items())
    tokens = _tokens(codes, quote)
    is_text = f"(t LIKE {_quoted(f'{quote}%{quote}')} AND length(t) > 1)"
    is_field = f"regexp_matches(t, {_quoted(f'[A-Za-z{quote}]')}) AND NOT {is_text}"
    return [
        f"""CREATE MACRO {macro}_format(f) AS array_to_string(list_transform({tokens},
            lambda t: coalesce(MAP {{{pairs}}}[t], CASE WHEN {is_text}
                THEN replace(t[2:-2], '%', '%%') WHEN t = '%' THEN '%%' ELSE t END)), '')""",
        f"""CREATE MACRO {macro}_unknown(f) AS list_filter({tokens}, lambda t:
            {is_field} AND NOT list_contains(map_keys(MAP {{{pairs}}}), t))[1]""",
    ]


def _checked(macro: str, function: str, result: str) -> str:
    """Return an expression: `result`, NULL for a NULL `x`, an error for an unknown field."""
    error = f"'[0A000] {function} has no field ' || {macro}_unknown(f) || ' (in ' || f || ').'"
    return f"""CASE WHEN x IS NULL THEN NULL
        WHEN {macro}_unknown(f) IS NOT NULL THEN error({error} || ' {_CURE}') ELSE {result} END"""


_CURE = "Text that is no field stands in quotes."


def _to_char() -> list[str]:
    # strftime copies a mark, and a field that it lacks then takes the mark's place.
    marks = {field: chr(0xE000 + i) for i, field in enumerate(_COMPUTED)}
    simple = "strftime(x, _sw_to_char_format(f))"
    filled = simple
    for field, mark in marks.items():
        # Only the fields of this pattern are computed: the condition is a constant.
        value = f"CASE WHEN contains(_sw_to_char_format(f), '{mark}') THEN {_COMPUTED[field]} END"
        filled = f"replace({filled}, '{mark}', coalesce({value}, ''))"
    any_mark = f"regexp_matches(_sw_to_char_format(f), '[{''.join(marks.values())}]')"
    result = f"CASE WHEN {any_mark} THEN {filled} ELSE {simple} END"
    return [
        *_translation("_sw_to_char", {**_PLAIN, **marks}),
        f"CREATE MACRO to_char(x, f) AS {_checked('_sw_to_char', 'TO_CHAR', result)}",
    ]


def _parsing() -> list[str]:
    parsed = "strptime(x, _sw_parse_format(f))"
    date = _checked("_sw_parse", "TO_DATE", f"CAST({parsed} AS DATE)")
    timestamp = _checked("_sw_parse", "TO_TIMESTAMP", f"CAST({parsed} AS TIMESTAMPTZ)")
    return [
        *_translation("_sw_parse", _PARSED),
        f"CREATE MACRO to_date(x, f) AS {date}",
        f"""CREATE MACRO to_timestamp(x) AS (system.main.to_timestamp(x)),
            (x, f) AS ({timestamp})""",
    ]


def _date_format() -> list[str]:
    result = "strftime(CAST(x AS TIMESTAMP), _sw_java_format(f))"
    return [
        *_translation("_sw_java", _JAVA, quote="'"),
        f"CREATE MACRO date_format(x, f) AS {_checked('_sw_java', 'DATE_FORMAT', result)}",
    ]


_STATEMENTS = [
    *_to_char(),
    *_parsing(),
    *_date_format(),
    "CREATE MACRO nvl(a, b) AS coalesce(a, b)",
    f"CREATE MACRO hg_version() AS {_quoted(HG_VERSION)}",
]
