"""How kernels are compiled: without the interpreter lock as a rule, without bounds checks, cached.

numba's cache watches the file of a kernel, not those of the helpers inlined into it; after a
change run `python -m sluiceway.warehouse.warm`, which then compiles all of them anew.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile an entry point that Python calls."""
    compiled = numba.njit(nogil=True, cache=True, boundscheck=False)(function)
    return cast(Callable[P, R], compiled)


def brief(function: Callable[P, R]) -> Callable[P, R]:
    """Compile an entry point that keeps the interpreter lock: less work than to give it back."""
    compiled = numba.njit(cache=True, boundscheck=False)(function)
    return cast(Callable[P, R], compiled)


def helper(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that only other kernels call, as a part of each of them.

    A call of its own would take and drop a reference, an atomic step, of every array it is given.
    """
    compiled = numba.njit(nogil=True, boundscheck=False, inline="always")(function)
    return cast(Callable[P, R], compiled)
