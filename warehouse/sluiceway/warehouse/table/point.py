"""The row of one key, as Python values: a look-up that makes nothing but them.

Invariants: a Point belongs to one State, whose files the caller keeps alive by keeping the State;
it answers as `snapshot.lookup` does, value for value as pyarrow's `as_py` gives them; any thread
may read.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from sluiceway.catalog import UserError

from ..kernels import point as kernels
from .cells import form_of, packer_of
from .find import Plan
from .layout import TableLayout
from .state import State

_NO_KEY = (struct.error, TypeError, pa.ArrowException, OverflowError, ValueError)


class TooOldError(Exception):
    """The State is older than the row: fetch a newer one and ask again."""


class Point:
    """Finds a key and makes values of some columns of its row."""

    def __init__(
        self, state: State, layout: TableLayout, newest: TableLayout, positions: tuple[int, ...]
    ) -> None:
        self.layout = layout
        # Selections own the defaults and the widened copies behind the plan's addresses.
        self._stored = state.select(newest, newest.keys)
        self._wanted = state.select(layout, positions)
        forms = [form_of(column) for column in self._wanted.columns]
        self._plan = Plan(state, newest, self._stored, self._wanted, forms)
        self._address = self._plan.address
        self._pack = packer_of(self._stored.columns)

    def read(self, key: Sequence[Any], lsn: int) -> tuple[Any, ...] | None:
        """Return the row visible at `lsn`, None if there is none; key columns in their order."""
        try:
            packed = self._pack(*key)
        except _NO_KEY as error:
            if len(key) == len(self._stored.columns) and None in key:
                return None
            raise self._refused(key) from error
        row = kernels.read_row(self._address, lsn, id(packed))
        if row is False:
            raise TooOldError
        return row

    def _refused(self, key: Sequence[Any]) -> UserError:
        kinds = ", ".join(f"{c.name} {c.type}" for c in self._stored.columns)
        return UserError(
            f"{tuple(key)!r} is no key of {self.layout.table.path}: "
            f"give one value for each of ({kinds})",
            sqlstate="42804",
        )
