"""Bits and runs of bytes by address: bit `i` of a bitmap is bit `i & 7` of byte `i >> 3`."""

from .jit import helper
from .words import load_u8, store_8


@helper
def bit_at(bitmap: int, at: int) -> int:
    """Return a bit."""
    return (load_u8(bitmap + (at >> 3)) >> (at & 7)) & 1


@helper
def raise_bit(bitmap: int, at: int) -> None:
    """Make a bit 1."""
    byte = bitmap + (at >> 3)
    store_8(byte, load_u8(byte) | (1 << (at & 7)))


@helper
def zero(address: int, size: int) -> None:
    """Make some bytes 0."""
    for j in range(size):
        store_8(address + j, 0)
