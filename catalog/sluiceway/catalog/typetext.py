"""The grammar of types: Flink's serializable strings, its aliases and PostgreSQL's names.

    type    := name [ "(" int [ "," int ] ")" ] [ zone ] { "[]" } [ "NOT NULL" | "NULL" ]
             | "ARRAY" "<" type ">" [ "NOT NULL" | "NULL" ]
    zone    := "WITH LOCAL TIME ZONE" | "WITHOUT TIME ZONE"

Invariant: what is accepted is accepted whole; an unknown word is refused with the nearest known
one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from sluiceway.catalog.errors import UserError
from sluiceway.catalog.names import did_you_mean
from sluiceway.catalog.types import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    FLOAT,
    INT,
    SMALLINT,
    STRING,
    TINYINT,
    DataType,
    Root,
)

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z_0-9]*|\d+|\[\]|[(),<>])")


def _fixed(kind: DataType) -> Callable[[list[int]], DataType]:
    def make(numbers: list[int]) -> DataType:
        if numbers:
            raise UserError(f"{kind.root.value} takes no length or precision.", sqlstate="42601")
        return kind

    return make


def _sized(root: Root, default: int) -> Callable[[list[int]], DataType]:
    return lambda numbers: DataType(root, length=_only(root, numbers, default))


def _timed(root: Root, default: int) -> Callable[[list[int]], DataType]:
    return lambda numbers: DataType(root, precision=_only(root, numbers, default))


def _decimal(numbers: list[int]) -> DataType:
    precision, scale = [*numbers, *(10, 0)[len(numbers) :]]
    return DataType(Root.DECIMAL, precision=precision, scale=scale)


def _only(root: Root, numbers: list[int], default: int) -> int:
    if len(numbers) > 1:
        raise UserError(f"{root.value} takes one number, not {numbers}.", sqlstate="42601")
    return numbers[0] if numbers else default


_NAMES: dict[str, Callable[[list[int]], DataType]] = {
    "BOOLEAN": _fixed(BOOLEAN),
    "TINYINT": _fixed(TINYINT),
    "SMALLINT": _fixed(SMALLINT),
    "INT": _fixed(INT),
    "BIGINT": _fixed(BIGINT),
    "FLOAT": _fixed(FLOAT),
    "DOUBLE": _fixed(DOUBLE),
    "DECIMAL": _decimal,
    "CHAR": _sized(Root.CHAR, 1),
    "VARCHAR": _sized(Root.VARCHAR, 1),
    "BINARY": _sized(Root.BINARY, 1),
    "VARBINARY": _sized(Root.VARBINARY, 1),
    "STRING": _fixed(STRING),
    "BYTES": _fixed(BYTES),
    "DATE": _fixed(DATE),
    "TIME": _timed(Root.TIME, 0),
    "TIMESTAMP": _timed(Root.TIMESTAMP, 6),
    "TIMESTAMP_LTZ": _timed(Root.TIMESTAMP_LTZ, 6),
}
_ALIASES = {
    "BOOL": "BOOLEAN",
    "INT2": "SMALLINT",
    "INTEGER": "INT",
    "INT4": "INT",
    "INT8": "BIGINT",
    "FLOAT4": "FLOAT",
    "REAL": "FLOAT",
    "FLOAT8": "DOUBLE",
    "DEC": "DECIMAL",
    "NUMERIC": "DECIMAL",
    "CHARACTER": "CHAR",
    "TEXT": "STRING",
    "JSON": "STRING",
    "JSONB": "STRING",
    "BYTEA": "BYTES",
    "ROARINGBITMAP": "BYTES",
    "TIMESTAMPTZ": "TIMESTAMP_LTZ",
}
_NAMES |= {alias: _NAMES[name] for alias, name in _ALIASES.items()}


@lru_cache(maxsize=1024)
def parse_type(text: str) -> DataType:
    """Parse a type's text, nullability suffixes ignored; UserError 42704 for unknown names."""
    parser = _Parser(text)
    kind = parser.type()
    parser.finish()
    return kind


@dataclass
class _Parser:
    """Recursive descent over the tokens of one type."""

    text: str
    tokens: list[str] = field(default_factory=list)
    at: int = 0

    def __post_init__(self) -> None:
        position, text = 0, self.text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise self._error(f"{text[position:].strip()[:1]!r} is not part of a type")
            self.tokens.append(found[1])
            position = found.end()

    def type(self) -> DataType:
        name = self._next("a type").upper()
        kind = self._array() if name == "ARRAY" else self._scalar(name)
        while self._accept("[]"):
            kind = DataType(Root.ARRAY, element=kind)
        if self._accept("NOT"):
            self._expect("NULL")
        else:
            self._accept("NULL")
        return kind

    def finish(self) -> None:
        if self.at < len(self.tokens):
            raise self._error(f"{self.tokens[self.at]!r} stands after the type")

    def _array(self) -> DataType:
        self._expect("<")
        element = self.type()
        self._expect(">")
        return DataType(Root.ARRAY, element=element)

    def _scalar(self, name: str) -> DataType:
        if name == "DOUBLE":
            self._accept("PRECISION")
        if name not in _NAMES:
            cure = did_you_mean(name, [*_NAMES, "ARRAY"])
            raise UserError(f"Type {self.text!r} is not known.{cure}", sqlstate="42704")
        numbers = self._numbers()
        if name in ("TIME", "TIMESTAMP") and self._zone() and name == "TIMESTAMP":
            name = "TIMESTAMP_LTZ"
        return _NAMES[name](numbers)

    def _numbers(self) -> list[int]:
        if not self._accept("("):
            return []
        numbers = [self._number()]
        if self._accept(","):
            numbers.append(self._number())
        self._expect(")")
        return numbers

    def _number(self) -> int:
        token = self._next("a number")
        if not token.isdigit():
            raise self._error(f"{token!r} stands where a number belongs")
        return int(token)

    def _zone(self) -> bool:
        """Read the zone words; true when values are instants."""
        if self._accept("WITHOUT"):
            local = False
        elif self._accept("WITH"):
            # Flink's own WITH TIME ZONE keeps an offset a value, which no column here can hold.
            self._expect("LOCAL")
            local = True
        else:
            return False
        self._expect("TIME")
        self._expect("ZONE")
        return local

    def _accept(self, word: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at].upper() == word:
            self.at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            found = self.tokens[self.at] if self.at < len(self.tokens) else "the end"
            raise self._error(f"{word!r} belongs where {found!r} stands")

    def _next(self, what: str) -> str:
        if self.at == len(self.tokens):
            raise self._error(f"{what} is missing at the end")
        self.at += 1
        return self.tokens[self.at - 1]

    def _error(self, reason: str) -> UserError:
        return UserError(f"Type {self.text!r} cannot be read: {reason}.", sqlstate="42601")
