"""What an option is: its names, its values, where it may stand and what it does.

Invariants: an Option is declared once, in `options`, and both languages read that declaration (Java
from the JSON that `options_doc` writes). Keys are matched case-insensitively. An alias whose values
differ from the option's own carries the translation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Scope(Enum):
    """Where an option belongs."""

    CATALOG = "catalog"  # CREATE CATALOG alone
    CONNECTION = "connection"  # CREATE CATALOG, or WITH of a temporary table
    SOURCE = "source"
    SINK = "sink"
    LOOKUP = "lookup"
    SERVER = "server"  # `sluiceway serve`, SLUICEWAY_* variables and its file
    PROPERTY = "table_property"  # kept with the table; in CREATE CATALOG the default of new tables


class Effect(Enum):
    """What setting an option does."""

    ACTS = "acts"
    NONE = "none"  # accepted so that existing SQL runs; results do not depend on it
    DEFAULT_ONLY = "default-only"  # any other value would change results, so it is refused


@dataclass(frozen=True)
class Kind:
    """A family of values: its name in options.json, the parser, and what limits the values."""

    name: str
    parse: Callable[[str], Any]
    choices: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Alias:
    """An older name; `values` translates its values, or is None where they are the same."""

    name: str
    values: Mapping[str, str] | None = None

    def translate(self, text: str) -> str:
        """Return the option's own value for the alias' value `text`."""
        if self.values is None:
            return text
        if text.strip().lower() not in self.values:
            raise ValueError(f"is one of {', '.join(self.values)}")
        return self.values[text.strip().lower()]


@dataclass(frozen=True)
class Option:
    """One option; `default` is text as a user would write it, None for "not set"."""

    key: str
    kind: Kind
    default: str | None
    doc: str
    scope: Scope
    unit: str = ""
    aliases: tuple[Alias, ...] = ()
    effect: Effect = Effect.ACTS
    fixed_at: str = ""  # "create": cannot be altered afterwards

    def parse(self, text: str) -> Any:
        """Return the typed value of `text`; ValueError says what it should be."""
        value = self.kind.parse(text.strip())
        if self.effect is Effect.DEFAULT_ONLY and value != self.default_value:
            default = self.default if self.default is not None else "leaving it out"
            raise ValueError(f"is supported only as {default}")
        return value

    @property
    def default_value(self) -> Any:
        """Return the typed default, None where there is none."""
        return None if self.default is None else self.kind.parse(self.default)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("is true or false")
    return text.lower() == "true"


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,19}", text) or not low <= int(text) <= high:
            raise ValueError(f"is a whole number from {low} to {high}")
        return int(text)

    return parse


_DURATION_MS = {"ms": 1, "s": 1000, "sec": 1000, "min": 60_000, "m": 60_000, "h": 3_600_000}
_DURATION_MS |= {"hour": 3_600_000, "d": 86_400_000, "day": 86_400_000, "": 1}


def _duration_ms(text: str) -> int:
    found = re.fullmatch(r"(\d{1,15})\s*([a-z]*)", text.lower())
    if found is None or found[2] not in _DURATION_MS:
        raise ValueError("is a duration such as 500 ms, 10 s or 5 min")
    return int(found[1]) * _DURATION_MS[found[2]]


def _text(text: str) -> str:
    if not text:
        raise ValueError("is not empty")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise ValueError("is a list of different column names, such as a,b")
    return names


_UNITS = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_UNITS |= {"kb": 10**3, "mb": 10**6, "gb": 10**9}


def _size_bytes(text: str) -> int:
    found = re.fullmatch(r"(\d{1,15})\s*([a-z]*)", text.lower())
    if found is None or found[2] not in _UNITS:
        raise ValueError("is a size such as 256 MiB or 1048576")
    return int(found[1]) * _UNITS[found[2]]


BOOLEAN = Kind("boolean", _boolean)
STRING = Kind("string", _text)
DURATION = Kind("duration", _duration_ms)
SIZE = Kind("size", _size_bytes)
NAMES = Kind("list", _names)


def integer(low: int, high: int) -> Kind:
    """Return the kind of whole numbers from `low` to `high`."""
    name = "int" if high < 2**31 else "long"
    return Kind(name, _integer(low, high), low=low, high=high)


INT = integer(0, 2**31 - 1)
POSITIVE = integer(1, 2**31 - 1)
LONG = integer(0, 2**63 - 1)


def choice(*values: str) -> Kind:
    """Return the kind of an enumeration; case, `_` and `-` do not matter in what users write."""
    by_fold = {_fold(value): value for value in values}

    def parse(text: str) -> str:
        if _fold(text) not in by_fold:
            raise ValueError(f"is one of {', '.join(values)}")
        return by_fold[_fold(text)]

    return Kind("enum", parse, values)


def _fold(text: str) -> str:
    return re.sub(r"[_\-\s]", "", text).lower()
