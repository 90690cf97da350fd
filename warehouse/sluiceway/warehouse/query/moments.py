"""AS OF: at which moment a query asks for a table.

    t FOR SYSTEM_TIME AS OF TIMESTAMP '…' | '…' | DATE '…' | (expression)    a time
    t FOR SYSTEM_VERSION AS OF n | (expression)                               an LSN
    t AT (TIMESTAMP => expression)        t AT (VERSION => expression)        DuckDB's words

Invariants: a clause is found by tokens, never inside a text, a quoted name or a comment; taking the
clauses out of a query leaves every other byte where it was; an expression names no table, so it is
worth the same wherever it stands. A time without zone is UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from sluiceway.catalog import UserError

_TOKEN = re.compile(
    r"""(?P<gap> (?: \s | --[^\n]* | /\*.*?\*/ )+ )
      | (?P<text> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | \$(\w*)\$.*?\$\3\$ )
      | (?P<word> [^\W\d]\w* | "(?:[^"]|"")*" | `[^`]*` )
      | (?P<number> \d[\w.]* )
      | (?P<sign> => | . )""",
    re.VERBOSE | re.DOTALL,
)
_TYPES = ("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE")
_UNITS = {"SYSTEM_TIME": "TIMESTAMP", "SYSTEM_VERSION": "VERSION"}
# `TIMESTAMP '… +02'` drops the zone in DuckDB; the text alone, cast to TIMESTAMPTZ, keeps it.
_LONE_TIMESTAMP = re.compile(r"\s*TIMESTAMP\s*('(?:[^']|'')*')\s*", re.IGNORECASE)
_GAP = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_NAME = r'(?:"(?:[^"]|"")*"|`[^`]*`|[^\W\d]\w*)'
PATH = re.compile(rf"{_NAME}(?:{_GAP}\.{_GAP}{_NAME})*", re.DOTALL)
_TABLE = re.compile(rf"{PATH.pattern}{_GAP}(?:(?:AS\b)?{_GAP}{_NAME}{_GAP})?", re.DOTALL | re.I)


@dataclass(frozen=True)
class Moment:
    """A point in the history: an LSN, or a time in µs since 1970 UTC; exactly one is set."""

    lsn: int | None = None
    time_us: int | None = None


@dataclass(frozen=True)
class Clause:
    """An AS OF clause: where it stands, in bytes of the query, and what it says."""

    start: int
    end: int
    unit: str
    expression: str


@dataclass(frozen=True)
class Token:
    """A word, a text, a number or a sign of a query, with where it stands, in characters."""

    start: int
    end: int
    text: str
    kind: str

    @property
    def word(self) -> str:
        """The text, a word in capitals."""
        return self.text.upper() if self.kind == "word" else self.text


def tokens_of(query: str) -> list[Token]:
    """Return the tokens of a query, without what stands between them."""
    return [
        Token(found.start(), found.end(), found[0], found.lastgroup or "")
        for found in _TOKEN.finditer(query)
        if found.lastgroup != "gap"
    ]


def find_clauses(query: str) -> list[Clause]:
    """Return the AS OF clauses of a query in order; UserError 42601 if one has no moment."""
    tokens = tokens_of(query)
    words = [token.word for token in tokens]
    found = (_clause(query, tokens, words, at) for at in range(len(tokens)))
    return [clause for clause in found if clause is not None]


def without(query: str, clauses: Sequence[Clause]) -> str:
    """Return the query with spaces in place of the clauses."""
    encoded = bytearray(query.encode())
    for clause in clauses:
        encoded[clause.start : clause.end] = b" " * (clause.end - clause.start)
    return encoded.decode()


def evaluate(connection: duckdb.DuckDBPyConnection, clause: Clause) -> Moment:
    """Return the moment that a clause means; duckdb.Error or UserError if it means none."""
    is_time = clause.unit == "TIMESTAMP"
    lone = _LONE_TIMESTAMP.fullmatch(clause.expression)
    expression = lone[1] if lone and is_time else clause.expression
    # On lines of its own, in case it ends in a comment.
    value = f"CAST((\n{expression}\n) AS {'TIMESTAMPTZ' if is_time else 'BIGINT'})"
    asked = f"SELECT epoch_us({value})" if is_time else f"SELECT {value}"
    [(found,)] = connection.execute(asked).fetchall()
    if found is None:
        raise UserError(f"AS OF {clause.expression} is no moment: name a time or an LSN.")
    return Moment(time_us=found) if is_time else Moment(lsn=found)


def owned_by(query: bytes, starts: Sequence[int], clauses: Sequence[Clause]) -> Iterator[int]:
    """Yield for each clause which of the tables that start at `starts` it stands behind."""
    for clause in clauses:
        before = [(start, number) for number, start in enumerate(starts) if start < clause.start]
        start, number = max(before, default=(0, -1))
        if number < 0 or not _TABLE.fullmatch(query[start : clause.start].decode()):
            raise UserError(
                f"AS OF {clause.expression} stands behind no table: write it after the table's "
                "name.",
                sqlstate="42601",
            )
        yield number


def _clause(query: str, tokens: Sequence[Token], words: Sequence[str], at: int) -> Clause | None:
    """Return the clause that begins at a token, None if none does."""
    head = words[at : at + 4]
    if head[:1] == ["FOR"] and head[2:] == ["AS", "OF"] and head[1] in _UNITS:
        unit = _UNITS[head[1]]
        last = _operand_end(tokens, words, at + 4) - 1
        expression = query[tokens[at + 4].start : tokens[last].end]
    elif head[:2] == ["AT", "("] and head[3:] == ["=>"] and head[2] in _UNITS.values():
        unit = head[2]
        last = _closing(words, at + 1) - 1
        expression = query[tokens[at + 3].end : tokens[last].start].strip()
    else:
        return None
    start, end = tokens[at].start, tokens[last].end
    before = len(query[:start].encode())
    return Clause(before, before + len(query[start:end].encode()), unit, expression)


def _operand_end(tokens: Sequence[Token], words: Sequence[str], first: int) -> int:
    """Return the place behind what follows AS OF: a literal, or an expression in parentheses."""
    for kind in _TYPES:
        spelled = kind.split()
        if words[first : first + len(spelled)] == spelled:
            first += len(spelled)
            break
    if first < len(tokens) and tokens[first].kind in ("text", "number"):
        return first + 1
    if words[first : first + 1] == ["("]:
        return _closing(words, first)
    raise UserError(
        "AS OF wants TIMESTAMP '2026-01-31 12:00:00', an LSN, or an expression without columns in "
        f"parentheses, not {words[first] if first < len(words) else 'the end'}.",
        sqlstate="42601",
    )


def _closing(words: Sequence[str], opening: int) -> int:
    """Return the place behind the parenthesis that closes the one at `opening`."""
    depth = 0
    for at in range(opening, len(words)):
        depth += {"(": 1, ")": -1}.get(words[at], 0)
        if depth == 0:
            return at + 1
    raise UserError("A parenthesis of an AS OF clause is not closed.", sqlstate="42601")
