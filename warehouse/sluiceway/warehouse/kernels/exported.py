"""Batches as Arrow's C data interface gives them: the addresses of all columns in one call.

A `struct ArrowArray` is ten words: length, NULLs, offset, buffer count, child count, buffers,
children, dictionary, release, private data. A batch is one whose children are its columns.
"""

from typing import Final

import numpy as np

from .jit import kernel
from .views import VARIABLE, Int64s
from .words import load_i64

ARRAY_WORDS: Final = 10
RELEASE_WORD: Final = 8
_NULLS, _OFFSET, _BUFFERS, _CHILDREN = 8, 16, 40, 48


@kernel
def addresses(batch: int, widths: Int64s) -> Int64s:
    """Return `validity`, `values`, `data` and `offset` of each column, as `Rows` has them."""
    words = np.zeros((4, len(widths)), np.int64)
    children = load_i64(batch + _CHILDREN)
    for c in range(len(widths)):
        column = load_i64(children + c * 8)
        buffers = load_i64(column + _BUFFERS)
        if load_i64(column + _NULLS) != 0:
            words[0, c] = load_i64(buffers)
        words[1, c] = load_i64(buffers + 8)
        if widths[c] == VARIABLE:
            words[2, c] = load_i64(buffers + 16)
        words[3, c] = load_i64(column + _OFFSET)
    return words
