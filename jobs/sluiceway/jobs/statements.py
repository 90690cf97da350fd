"""A file of Flink SQL cut into statements, each with the line on which it starts.

Invariants:
* The text of a statement is a slice of the file, unchanged: a position that Flink reports inside a
  statement is a position in the file, `line - 1` lines further down.
* `;` ends a statement only outside of strings, quoted identifiers, comments and hints.
* `BEGIN STATEMENT SET; … END;` and `EXECUTE STATEMENT SET BEGIN … END;` are one unit, whose
  INSERTs keep their own lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sluiceway.catalog import UserError
from sluiceway.jobs.lexer import Token, code, line_of

_BEGIN_SET = ("BEGIN", "STATEMENT", "SET")
_EXECUTE_SET = ("EXECUTE", "STATEMENT", "SET", "BEGIN")


@dataclass(frozen=True)
class Statement:
    """One SQL statement without its `;`."""

    text: str
    line: int


@dataclass(frozen=True)
class StatementSet:
    """INSERTs that run as one job."""

    statements: tuple[Statement, ...]
    line: int


Unit = Statement | StatementSet


def split(text: str) -> list[Unit]:
    """Return the statements and statement sets of a file in order."""
    units: list[Unit] = []
    members: list[Statement] | None = None  # of the set that is open
    opened_line = 0
    for piece in _pieces(code(text)):
        if members is None and (head := _set_head(piece)):
            members, opened_line, piece = [], line_of(text, piece[0].start), piece[head:]
        if members is not None and len(piece) == 1 and piece[0].is_word("END"):
            units.append(StatementSet(tuple(members), opened_line))
            members = None
        elif piece:
            statement = _statement(text, piece)
            (units if members is None else members).append(statement)
    if members is not None:
        raise UserError(
            f"the statement set that begins on line {opened_line} has no END;", sqlstate="42601"
        )
    return units


def _pieces(meaningful: list[Token]) -> Iterator[list[Token]]:
    piece: list[Token] = []
    for token in meaningful:
        if token.text == ";" and token.kind == "symbol":
            yield piece
            piece = []
        else:
            piece.append(token)
    yield piece


def _set_head(piece: list[Token]) -> int:
    """Return how many tokens open a statement set here, 0 if none is opened."""
    for head in (_EXECUTE_SET, _BEGIN_SET):
        if len(piece) >= len(head) and all(
            token.is_word(word) for token, word in zip(piece, head, strict=False)
        ):
            return len(head)
    return 0


def _statement(text: str, piece: list[Token]) -> Statement:
    start, end = piece[0].start, piece[-1].end
    return Statement(text[start:end], line_of(text, start))


def substitute(text: str, variables: dict[str, str]) -> str:
    """Put values in place of `${name}`; a name without a value is an error that names its line."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in variables:
            line = line_of(text, match.start())
            raise UserError(f"line {line}: ${{{name}}} has no value: pass -D {name}=…")
        return variables[name]

    return re.sub(r"\$\{([\w.\-]+)\}", value, text)
