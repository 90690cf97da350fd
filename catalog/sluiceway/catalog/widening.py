"""Which types a column may change to: those that hold every value of the old one, unchanged.

    TINYINT → SMALLINT → INT → BIGINT      whole numbers → DECIMAL(p, s) with digits enough
    TINYINT, SMALLINT → FLOAT → DOUBLE     INT → DOUBLE
    DECIMAL(p, s) → DECIMAL(p + k, s + j)  j ≤ k: digits before the point stay
    CHAR(n), VARCHAR(n) → VARCHAR(m), STRING; BINARY(n), VARBINARY(n) → VARBINARY(m), BYTES  m ≥ n
    TIME, TIMESTAMP, TIMESTAMP_LTZ         more digits of a second, but not from ≤ 6 to > 6
    ARRAY<T> → ARRAY<U>                    where T → U

Invariants: `widens` is transitive, and every type widens to itself; casting a value along it and
comparing is exact. TIMESTAMP(9) is not among them, since nanoseconds reach from 1677 to 2262 only.
"""

from __future__ import annotations

from sluiceway.catalog.types import TEXT_ROOTS, TIME_ROOTS, DataType, Root

_DIGITS = {Root.TINYINT: 3, Root.SMALLINT: 5, Root.INT: 10, Root.BIGINT: 19}
_WHOLE = tuple(_DIGITS)
_EXACT_IN = {
    Root.FLOAT: frozenset({Root.TINYINT, Root.SMALLINT}),
    Root.DOUBLE: frozenset({Root.TINYINT, Root.SMALLINT, Root.INT, Root.FLOAT}),
}
_VARYING = frozenset({Root.VARCHAR, Root.VARBINARY})
_MICROSECONDS = 6


def widens(old: DataType, new: DataType) -> bool:
    """Tell whether `new` holds every value of `old` as it is."""
    if old == new:
        return True
    if old.element is not None and new.element is not None:
        return widens(old.element, new.element)
    if new.root in _VARYING:
        same = (old.root in TEXT_ROOTS) is (new.root in TEXT_ROOTS)
        return old.length is not None and same and old.length <= (new.length or 0)
    if new.root is Root.DECIMAL:
        return _fits_decimal(old, new)
    if old.root in TIME_ROOTS:
        return old.root is new.root and _finer(old, new)
    if old.root in _DIGITS and new.root in _DIGITS:
        return _WHOLE.index(old.root) < _WHOLE.index(new.root)
    return old.root in _EXACT_IN.get(new.root, ())


def keeps_distribution(old: DataType, new: DataType) -> bool:
    """Tell whether equal values hash alike in both types (docs/format.md, "Hashes")."""
    whole = old.root in _DIGITS and new.root in _DIGITS
    return whole or (old.root is new.root and old.scale == new.scale) or new.root in _VARYING


def wider_than(old: DataType) -> str:
    """Return the types that a column of type `old` may change to, for people."""
    if old.element is not None:
        return f"ARRAY of {wider_than(old.element)}"
    if old.root in _DIGITS:
        wider = [root.value for root in _WHOLE[_WHOLE.index(old.root) + 1 :]]
        wider += [root.value for root, narrow in _EXACT_IN.items() if old.root in narrow]
        return ", ".join([*wider, f"DECIMAL({_DIGITS[old.root]}, 0) or wider"])
    if old.root is Root.FLOAT:
        return "DOUBLE"
    if old.root is Root.DECIMAL:
        return (
            f"a DECIMAL with {_before_point(old)} or more digits before the point and a scale "
            f"of {old.scale} or more"
        )
    if old.length is not None:
        varying, most = ("VARCHAR", "STRING") if old.root in TEXT_ROOTS else ("VARBINARY", "BYTES")
        return f"{varying}({old.length}) or longer, {most}"
    if old.root in TIME_ROOTS and (old.precision or 0) not in (_MICROSECONDS, 9):
        limit = _MICROSECONDS if _in_micros(old) and old.root is not Root.TIME else 9
        return f"{old.root.value} of a precision up to {limit}"
    return "nothing else"


def _fits_decimal(old: DataType, new: DataType) -> bool:
    if old.root in _DIGITS:
        return _DIGITS[old.root] <= _before_point(new)
    if old.root is not Root.DECIMAL:
        return False
    return _before_point(old) <= _before_point(new) and (old.scale or 0) <= (new.scale or 0)


def _before_point(kind: DataType) -> int:
    return (kind.precision or 0) - (kind.scale or 0)


def _finer(old: DataType, new: DataType) -> bool:
    same_unit = old.root is Root.TIME or _in_micros(old) is _in_micros(new)
    return same_unit and (old.precision or 0) <= (new.precision or 0)


def _in_micros(kind: DataType) -> bool:
    return (kind.precision or 0) <= _MICROSECONDS
