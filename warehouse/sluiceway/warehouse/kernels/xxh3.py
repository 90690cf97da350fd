"""XXH3-64 with seed 0 of the bytes at an address, for the distribution hash of strings.

Five shapes by length, as the algorithm has them: up to 16, 128 and 240 bytes, and longer ones in
blocks of 1,024 bytes over eight accumulators. The tests compare every shape with the library.
"""

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from .jit import helper
from .views import UInt64s
from .words import load_i64, load_u8, load_u32

# The default secret of XXH3 is a part of the algorithm.
_SECRET_BYTES: Final = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
# The 64-bit word of the secret at every byte offset.
_SECRET: Final = np.array(
    [int.from_bytes(_SECRET_BYTES[at : at + 8], "little") for at in range(185)], np.uint64
)
_P32_1: Final = np.uint64(0x9E3779B1)
_P32_2: Final = np.uint64(0x85EBCA77)
_P32_3: Final = np.uint64(0xC2B2AE3D)
_P64_1: Final = np.uint64(0x9E3779B185EBCA87)
_P64_2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_P64_3: Final = np.uint64(0x165667B19E3779F9)
_P64_4: Final = np.uint64(0x85EBCA77C2B2AE63)
_P64_5: Final = np.uint64(0x27D4EB2F165667C5)
_AVALANCHE: Final = np.uint64(0x165667919E3779F9)
_RRMXMX: Final = np.uint64(0x9FB21C651E98DF25)
_LOW_32: Final = np.uint64(0xFFFFFFFF)
_START: Final = np.array(
    [_P32_3, _P64_1, _P64_2, _P64_3, _P64_4, _P32_2, _P64_5, _P32_1], np.uint64
)


def _folded_product(typing: Any, a: Any, b: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        high = builder.lshr(product, ir.Constant(wide, 64))
        return builder.trunc(builder.xor(product, high), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), build


_fold = cast(Callable[[np.uint64, np.uint64], np.uint64], intrinsic(_folded_product))


@helper
def _read(address: int) -> np.uint64:
    return np.uint64(load_i64(address))


@helper
def _rotate(x: np.uint64, bits: int) -> np.uint64:
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


@helper
def _swap(x: np.uint64) -> np.uint64:
    out = np.uint64(0)
    for _ in range(8):
        out = (out << np.uint64(8)) | (x & np.uint64(255))
        x >>= np.uint64(8)
    return out


@helper
def _avalanche(h: np.uint64) -> np.uint64:
    h ^= h >> np.uint64(37)
    h *= _AVALANCHE
    return h ^ (h >> np.uint64(32))


@helper
def _avalanche_64(h: np.uint64) -> np.uint64:
    h ^= h >> np.uint64(33)
    h *= _P64_2
    h ^= h >> np.uint64(29)
    h *= _P64_3
    return h ^ (h >> np.uint64(32))


@helper
def _to_16(address: int, size: int) -> np.uint64:
    if size > 8:
        low = _read(address) ^ (_SECRET[24] ^ _SECRET[32])
        high = _read(address + size - 8) ^ (_SECRET[40] ^ _SECRET[48])
        return _avalanche(np.uint64(size) + _swap(low) + high + _fold(low, high))
    if size >= 4:
        first = np.uint64(load_u32(address))
        last = np.uint64(load_u32(address + size - 4))
        h = (last + (first << np.uint64(32))) ^ (_SECRET[8] ^ _SECRET[16])
        h ^= _rotate(h, 49) ^ _rotate(h, 24)
        h *= _RRMXMX
        h ^= (h >> np.uint64(35)) + np.uint64(size)
        h *= _RRMXMX
        return np.uint64(h ^ (h >> np.uint64(28)))
    if size == 0:
        return _avalanche_64(_SECRET[56] ^ _SECRET[64])
    first = np.uint64(load_u8(address)) << np.uint64(16)
    middle = np.uint64(load_u8(address + (size >> 1))) << np.uint64(24)
    last = np.uint64(load_u8(address + size - 1)) | np.uint64(size << 8)
    flip = (_SECRET[0] ^ (_SECRET[0] >> np.uint64(32))) & _LOW_32
    return _avalanche_64((first | middle | last) ^ flip)


@helper
def _pair(address: int, secret: int) -> np.uint64:
    low = _read(address) ^ _SECRET[secret]
    return _fold(low, _read(address + 8) ^ _SECRET[secret + 8])


@helper
def _to_128(address: int, size: int) -> np.uint64:
    h = np.uint64(size) * _P64_1
    for i in range((size - 1) >> 5, -1, -1):
        h += _pair(address + i * 16, i * 32)
        h += _pair(address + size - (i + 1) * 16, i * 32 + 16)
    return _avalanche(h)


@helper
def _to_240(address: int, size: int) -> np.uint64:
    h = np.uint64(size) * _P64_1
    for i in range(8):
        h += _pair(address + i * 16, i * 16)
    h = _avalanche(h)
    for i in range(8, size >> 4):
        h += _pair(address + i * 16, (i - 8) * 16 + 3)
    return _avalanche(h + _pair(address + size - 16, 119))


@helper
def _accumulate(sums: UInt64s, address: int, secret: int) -> None:
    for i in range(8):
        value = _read(address + i * 8)
        key = value ^ _SECRET[secret + i * 8]
        sums[i ^ 1] += value
        sums[i] += (key & _LOW_32) * (key >> np.uint64(32))


@helper
def _long(address: int, size: int) -> np.uint64:
    sums = _START.copy()
    blocks = (size - 1) >> 10
    for block in range(blocks):
        for stripe in range(16):
            _accumulate(sums, address + (block << 10) + stripe * 64, stripe * 8)
        for i in range(8):
            sums[i] = (sums[i] ^ (sums[i] >> np.uint64(47)) ^ _SECRET[128 + i * 8]) * _P32_1
    for stripe in range((size - 1 - (blocks << 10)) >> 6):
        _accumulate(sums, address + (blocks << 10) + stripe * 64, stripe * 8)
    _accumulate(sums, address + size - 64, 121)
    h = np.uint64(size) * _P64_1
    for i in range(4):
        h += _fold(sums[2 * i] ^ _SECRET[11 + i * 16], sums[2 * i + 1] ^ _SECRET[19 + i * 16])
    return _avalanche(h)


@helper
def xxh3(address: int, size: int) -> np.uint64:
    """Return the XXH3-64 of `size` bytes at `address`."""
    if size <= 16:
        return _to_16(address, size)
    if size <= 128:
        return _to_128(address, size)
    if size <= 240:
        return _to_240(address, size)
    return _long(address, size)
