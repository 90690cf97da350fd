"""Atomic words and fences: what orders a writer's stores before a reader's loads.

Addresses are multiples of 8. On x86-64 these compile to plain moves, on AArch64 to ldar and stlr;
what matters on both is that the compiler cannot move other stores across them.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .jit import brief

_WORD = ir.IntType(64)
_POINTER = ir.PointerType(_WORD)


def _atomic_load(ordering: str) -> Any:
    def load(typing: Any, address: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.load_atomic(builder.inttoptr(args[0], _POINTER), ordering, 8)

        return types.int64(types.int64), build

    return intrinsic(load)


def _atomic_store(typing: Any, address: Any, value: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[1], builder.inttoptr(args[0], _POINTER), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), build


def _fence(ordering: str) -> Any:
    def fence(typing: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            builder.fence(ordering)
            return context.get_dummy_value()

        return types.void(), build

    return intrinsic(fence)


load_acquire = cast(Callable[[int], int], _atomic_load("acquire"))
load_relaxed = cast(Callable[[int], int], _atomic_load("monotonic"))
store_release = cast(Callable[[int, int], None], intrinsic(_atomic_store))
fence_release = cast(Callable[[], None], _fence("release"))
_fence_all = cast(Callable[[], None], _fence("seq_cst"))


@brief
def load_word(address: int) -> int:
    """Load the word at `address`; later loads cannot come before it."""
    return load_acquire(address)


@brief
def store_word(address: int, value: int) -> None:
    """Store `value` at `address`; earlier stores cannot come after it."""
    store_release(address, value)


@brief
def full_fence() -> None:
    """Let no later load come before an earlier store."""
    _fence_all()
