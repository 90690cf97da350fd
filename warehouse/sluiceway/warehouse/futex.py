"""Sleeping on a word of mapped memory until another process changes it, by the kernel's futex.

A futex compares 32 bits: the lower half of a word, which another commit brings back as it was after
2^32 LSNs at the earliest. Whoever sleeps does so for a while only and looks again.

Invariant: a store that came before the call is not slept through, for the kernel compares first.
"""

import ctypes
import platform

_WAIT, _WAKE = 0, 1
_EVERYBODY = 2**31 - 1
_NUMBER = {"x86_64": 202}.get(platform.machine(), 98)  # 98 is that of all newer architectures
_SECOND_NS = 1_000_000_000


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


_call = ctypes.CDLL(None).syscall
_call.argtypes = [
    ctypes.c_long,
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.c_uint32,
    ctypes.POINTER(_TimeSpec),
    ctypes.c_void_p,
    ctypes.c_uint32,
]


def sleep_on(address: int, value: int, timeout_s: float) -> None:
    """Sleep while the word has that value, until `wake_all` or the end of a time, or less."""
    seconds, nanoseconds = divmod(int(timeout_s * _SECOND_NS), _SECOND_NS)
    until = _TimeSpec(seconds, nanoseconds)
    _call(_NUMBER, address, _WAIT, value & 0xFFFFFFFF, ctypes.byref(until), None, 0)


def wake_all(address: int) -> None:
    """Wake everybody who sleeps on a word, in any process."""
    _call(_NUMBER, address, _WAKE, _EVERYBODY, None, None, 0)
