"""Stored values → Python values, by the interpreter's own functions: a row without a detour.

A *value* is the address of an object that the caller owns, 0 once an exception is set. What is
neither a number, a text nor bytes is made by calling a class or a function with what it takes:

    form      made as                          what `call` and `detail` are
    INTEGER   int, or call(int)                0, or what takes it
    TRUTH     bool
    REAL      float
    TEXT      str
    BYTES     bytes, or call(bytes)            0, or what takes them
    DECIMAL   call(digits as str)              Decimal, the scale
    DAY       call(year, month, day)           date
    MOMENT    call(year, …, µs[, zone])        datetime, the zone or 0

Invariants: `release` and `acquire` frame what may wait for a page; all else here holds the
interpreter lock. Caller and plan keep the objects alive whose addresses come in.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, cast

import numpy as np
from numba.core import types
from numba.extending import box, intrinsic, models, register_model

from .hashing import load_fixed
from .jit import helper
from .views import Int64s, as_int
from .words import I64, load_f32, load_f64, load_i64, load_u8, store_8

INTEGER: Final = 0
TRUTH: Final = 1
REAL: Final = 2
TEXT: Final = 3
BYTES: Final = 4
DECIMAL: Final = 5
DAY: Final = 6
MOMENT: Final = 7
NULL: Final = -1

_DAY_US: Final = 86_400_000_000
# Words with room for a sign, a zero, a point and the digits of 2^127.
ROOM: Final = 6

# A row; None and False say why there is none.
Given = tuple[Any, ...] | Literal[False] | None


class _Object(types.Type):
    """An object that a kernel gives to its caller."""

    def __init__(self) -> None:
        super().__init__(name="Object")


_object = _Object()
register_model(_Object)(models.OpaqueModel)
box(_Object)(lambda kind, value, context: value)


def _give(typing: Any, address: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(_object))

    return _object(types.int64), build


def _find_none(typing: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ptrtoint(context.get_python_api(builder).borrow_none(), I64)

    return types.int64(), build


def _python(name: str, result: Any, *arguments: Any) -> Any:
    return types.ExternalFunction(name, result(*arguments))


_word = types.int64
give = cast(Callable[[int], Given], intrinsic(_give))
_borrowed_none = cast(Callable[[], int], intrinsic(_find_none))
release = cast(Callable[[], int], _python("PyEval_SaveThread", _word))
acquire = cast(Callable[[int], None], _python("PyEval_RestoreThread", types.void, _word))
bytes_at = cast(Callable[[int], int], _python("PyBytes_AsString", _word, _word))
truth = cast(Callable[[int], int], _python("PyBool_FromLong", _word, _word))
integer = cast(Callable[[int], int], _python("PyLong_FromLongLong", _word, _word))
_real = cast(Callable[[float], int], _python("PyFloat_FromDouble", _word, types.float64))
_text = cast(
    Callable[[int, int, int], int], _python("PyUnicode_DecodeUTF8", _word, _word, _word, _word)
)
_bytes = cast(Callable[[int, int], int], _python("PyBytes_FromStringAndSize", _word, _word, _word))
_tuple = cast(Callable[[int], int], _python("PyTuple_New", _word, _word))
_put = cast(
    Callable[[int, int, int], int], _python("PyTuple_SetItem", types.int32, _word, _word, _word)
)
_call = cast(Callable[[int, int, int], int], _python("PyObject_Call", _word, _word, _word, _word))
_call_one = cast(Callable[[int, int], int], _python("PyObject_CallOneArg", _word, _word, _word))
_keep = cast(Callable[[int], None], _python("Py_IncRef", types.void, _word))
_drop = cast(Callable[[int], None], _python("Py_DecRef", types.void, _word))


@helper
def none() -> int:
    """Return None."""
    value = _borrowed_none()
    _keep(value)
    return value


@helper
def make_row(
    widths: Int64s, places: Int64s, sizes: Int64s, forms: Int64s, calls: Int64s, details: Int64s
) -> int:
    """Return a tuple of the values at some places, behind which is `ROOM`; NULL is a size."""
    row = _tuple(len(widths))
    end = as_int(places.ctypes.data) + (len(widths) + ROOM) * 8
    for c in range(len(widths)):
        if row != 0:
            if sizes[c] == NULL:
                value = none()
            else:
                place, size = places[c], sizes[c]
                value = _value(forms[c], widths[c], place, size, calls[c], details[c], end)
            row = _with(row, c, value)
    return row


@helper
def _value(form: int, width: int, place: int, size: int, call: int, detail: int, end: int) -> int:
    if form == TEXT:
        return _text(place, size, 0)
    if form == INTEGER:
        value = integer(load_fixed(place, 0, width))
    elif form == TRUTH:
        return truth((load_u8(place) >> size) & 1)
    elif form == REAL:
        return _real(load_f32(place) if width == 4 else load_f64(place))
    elif form == BYTES:
        value = _bytes(place, size)
    elif form == DECIMAL:
        value = _digits(load_i64(place), load_i64(place + 8), detail, end)
    elif form == DAY:
        return _called(call, _date(_tuple(3), load_fixed(place, 0, width)))
    else:
        return _called(call, _moment(load_i64(place), detail))
    if call == 0 or value == 0:
        return value
    made = _call_one(call, value)
    _drop(value)
    return made


@helper
def _with(row: int, at: int, value: int) -> int:
    """Put a value into a new tuple; 0 in place of both if either failed."""
    if row != 0 and value != 0:
        _put(row, at, value)
        return row
    if row != 0:
        _drop(row)
    if value != 0:
        _drop(value)
    return 0


@helper
def _called(call: int, arguments: int) -> int:
    """Call something with a tuple that is spent by it."""
    if arguments == 0:
        return 0
    value = _call(call, arguments, 0)
    _drop(arguments)
    return value


@helper
def _date(fields: int, day: int) -> int:
    """Put year, month and day of a day since 1970 into a tuple.

    Years begin with March here, so that a leap day ends one; 400 of them are an *era*.
    """
    day += 719_468
    era = day // 146_097
    of_era = day - era * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    fields = _with(fields, 0, integer(year + era * 400 + month // 10))
    fields = _with(fields, 1, integer(month + 3 - month // 10 * 12))
    return _with(fields, 2, integer(of_year - (153 * month + 2) // 5 + 1))


@helper
def _moment(time_us: int, zone: int) -> int:
    day = time_us // _DAY_US
    left = time_us - day * _DAY_US
    fields = _date(_tuple(7 if zone == 0 else 8), day)
    fields = _with(fields, 3, integer(left // 3_600_000_000))
    fields = _with(fields, 4, integer(left // 60_000_000 % 60))
    fields = _with(fields, 5, integer(left // 1_000_000 % 60))
    fields = _with(fields, 6, integer(left % 1_000_000))
    if zone != 0:
        _keep(zone)
        fields = _with(fields, 7, zone)
    return fields


@helper
def _digits(low: int, high: int, scale: int, end: int) -> int:
    """Return a number of 128 bits as text, `scale` of its digits behind the point.

    It is written into the room before `end`.
    """
    x, y = np.uint64(low), np.uint64(high)
    if high < 0:
        x, y = ~x + np.uint64(1), ~y + np.uint64(low == 0)
    at, count = end, 0
    while count <= scale or (x | y) != 0:
        if count == scale and count != 0:
            at -= 1
            store_8(at, 46)
        # 2^64 = 10 * 1844674407370955161 + 6
        carried = y % np.uint64(10)
        last = x % np.uint64(10) + np.uint64(6) * carried
        x = x // np.uint64(10) + carried * np.uint64(1844674407370955161) + last // np.uint64(10)
        y //= np.uint64(10)
        at -= 1
        store_8(at, 48 + as_int(last % np.uint64(10)))
        count += 1
    if high < 0:
        at -= 1
        store_8(at, 45)
    return _text(at, end - at, 0)
