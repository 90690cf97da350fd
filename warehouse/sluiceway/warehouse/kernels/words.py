"""Loads and stores of machine words by address, as numba intrinsics.

Addresses need not be aligned. Narrow integers widen to int64: signed ones keep their sign,
`load_u8` and `load_u32` are unsigned.
"""

from collections.abc import Callable
from typing import Any, cast

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .jit import helper
from .views import Int64s

I64 = ir.IntType(64)
_WORDS = cast(Any, types).CPointer(types.int64)
_FLOAT, _DOUBLE = ir.FloatType(), ir.DoubleType()


def _loader(bits: int, signed: bool) -> Any:
    def load(typing: Any, address: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = builder.inttoptr(args[0], ir.PointerType(ir.IntType(bits)))
            value = builder.load(pointer, align=1)
            if bits == 64:
                return value
            return builder.sext(value, I64) if signed else builder.zext(value, I64)

        return types.int64(types.int64), build

    return intrinsic(load)


def _real_loader(kind: Any) -> Any:
    def load(typing: Any, address: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = builder.inttoptr(args[0], ir.PointerType(kind))
            value = builder.load(pointer, align=1)
            return value if kind == _DOUBLE else builder.fpext(value, _DOUBLE)

        return types.float64(types.int64), build

    return intrinsic(load)


def _pointer(typing: Any, address: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], ir.PointerType(I64))

    return _WORDS(types.int64), build


def _storer(bits: int) -> Any:
    def store(typing: Any, address: Any, value: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            word = ir.IntType(bits)
            value = args[1] if bits == 64 else builder.trunc(args[1], word)
            pointer = builder.inttoptr(args[0], ir.PointerType(word))
            builder.store(value, pointer, align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), build

    return intrinsic(store)


def _prefetcher(typing: Any, address: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, flag, flag, flag])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        pointer = builder.inttoptr(args[0], cgutils.voidptr_t)
        builder.call(prefetch, [pointer, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(types.int64), build


def _copier(typing: Any, target: Any, source: Any, count: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        target = builder.inttoptr(args[0], cgutils.voidptr_t)
        source = builder.inttoptr(args[1], cgutils.voidptr_t)
        cgutils.raw_memcpy(builder, target, source, args[2], 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), build


Load = Callable[[int], int]
Store = Callable[[int, int], None]

load_u8 = cast(Load, _loader(8, signed=False))
load_i8 = cast(Load, _loader(8, signed=True))
load_i16 = cast(Load, _loader(16, signed=True))
load_i32 = cast(Load, _loader(32, signed=True))
load_u32 = cast(Load, _loader(32, signed=False))
load_i64 = cast(Load, _loader(64, signed=True))
load_f32 = cast(Callable[[int], float], _real_loader(_FLOAT))
load_f64 = cast(Callable[[int], float], _real_loader(_DOUBLE))
store_8 = cast(Store, _storer(8))
store_16 = cast(Store, _storer(16))
store_32 = cast(Store, _storer(32))
store_64 = cast(Store, _storer(64))
prefetch = cast(Callable[[int], None], intrinsic(_prefetcher))
copy_bytes = cast(Callable[[int, int, int], None], intrinsic(_copier))
_array = cast(Callable[[Any, tuple[int, ...]], Int64s], numba.carray)
_pointer_to = cast(Callable[[int], Any], intrinsic(_pointer))


@helper
def words_at(address: int, count: int) -> Int64s:
    """Return the words at `address` as an array that does not own them."""
    return _array(_pointer_to(address), (count,))


@helper
def grid_at(address: int, rows: int, columns: int) -> Int64s:
    """Return the words at `address` as such an array of two dimensions."""
    return _array(_pointer_to(address), (rows, columns))
