"""`python -m sluiceway.warehouse.warm`: compile every kernel once, so that no request waits for it.

A server does so when it starts, if nobody did: then the first start on a machine takes half a
minute longer, and no query ever does.

numba keeps compiled kernels beside their sources but notices changes of a kernel's own file only;
so all are compiled anew when anything that they are made of has changed, as a digest beside them
tells. The workload is tiny and touches every type and every kind of key.
"""

from __future__ import annotations

import fcntl
import hashlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numba
import numpy as np
import pyarrow as pa

from sluiceway.catalog import Column, Table, parse_type

from . import kernels
from .kernels.atomics import full_fence
from .table import OP_NAME, Control, Memory, Shard, distribution_hashes, prepare
from .table.index import FIRST_SLOTS

_CACHE = Path(kernels.__file__).parent / "__pycache__"
_DIGEST = _CACHE / "kernels.sha256"

_TYPES = (
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "DOUBLE",
    "DECIMAL(10, 2)",
    "STRING",
    "TIMESTAMP(3)",
    "ARRAY<BIGINT>",
    "ARRAY<STRING>",
    "ARRAY<BOOLEAN>",
)


def warm() -> float:
    """Compile all kernels; return how many seconds that took."""
    start = time.monotonic()
    for path in _CACHE.glob("*.nb?"):
        path.unlink()
    with tempfile.TemporaryDirectory() as directory:
        memory = Memory(Path(directory))
        try:
            control = Control(memory)
            control.publish(control.published() + 1)
            full_fence()
            for key in ("BIGINT", "STRING", None):
                _exercise(memory, key)
            _fill(memory)
        finally:
            memory.close()
    _DIGEST.write_text(_digest())
    return time.monotonic() - start


def ensure(say: Callable[[str], object]) -> None:
    """Compile unless that is done; of several processes one does, the others wait for it."""
    try:
        with _alone():
            if not is_warm():
                say("compiling kernels for this machine, once: about half a minute")
                say(f"kernels compiled in {warm():.1f} s")
    except OSError as error:
        # Not ours, or a file system to read only: numba has a folder of this user's, which fills.
        say(f"kernels are compiled as they are used: {_CACHE} cannot be written: {error}")


@contextmanager
def _alone() -> Iterator[None]:
    _CACHE.mkdir(exist_ok=True)
    with open(_CACHE / "kernels.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_warm() -> bool:
    """Tell whether the kernels that are there were made by `warm` from what is there now."""
    return _DIGEST.exists() and _DIGEST.read_text() == _digest()


def _digest() -> str:
    """Return the digest of all that decides which kernels there are, and how they are compiled."""
    found = hashlib.sha256(f"{numba.__version__} {np.__version__} {sys.version}".encode())
    for path in (*sorted(_CACHE.parent.glob("*.py")), Path(__file__)):
        found.update(path.read_bytes())
    return found.hexdigest()


def _table(key: str | None) -> Table:
    columns = [Column(i + 2, f"c{i}", parse_type(kind)) for i, kind in enumerate(_TYPES)]
    names: tuple[str, ...] = ()
    if key is not None:
        columns.insert(0, Column(1, "key", parse_type(key), nullable=False))
        names = ("key",)
    # One of the tables has a row-major copy.
    options = {"table_property.orientation": "row,column"} if key == "STRING" else {}
    return Table("warm", "t", tuple(columns), names, 1, options=options, schema_version=1, shards=1)


def _rows(table: Table, partial: bool) -> pa.RecordBatch:
    """Return three rows, NULL in every column that may have it; the last one deletes the first."""
    columns = [c for c in table.columns if not (partial and c.name == "c4")]
    arrays = [pa.array([0, 0, 3 if table.primary_key else 0], pa.int8())]
    for column in columns:
        kind = column.type.arrow()
        if pa.types.is_list(kind):
            arrays.append(pa.array([[_value(kind.value_type), None], None, []], kind))
        elif column.nullable:
            plain = pa.int64() if pa.types.is_timestamp(kind) else kind
            arrays.append(pa.array([_value(kind), _value(kind), None], plain).cast(kind))
        else:
            arrays.append(pa.array([1, 2, 1]).cast(kind))
    return pa.RecordBatch.from_arrays(arrays, [OP_NAME, *(column.name for column in columns)])


def _value(kind: pa.DataType) -> object:
    if pa.types.is_string(kind):
        return "a string of more than eight bytes"
    return True if pa.types.is_boolean(kind) else 1


def _exercise(memory: Memory, key: str | None) -> None:
    """Merge, read and reload a shard with a key of one type, or none."""
    table = _table(key)
    shard = Shard(table, 0, memory)
    for lsn, partial in ((7, False), (14, True)):
        ops, rows = prepare(table, _rows(table, partial), partial=partial)
        shard.merge(
            rows,
            ops,
            conflict="update",
            partial=partial,
            positions=np.arange(len(ops), dtype=np.int32),
            commit_lsn=lsn,
        )
        shard.publish(lsn, lsn)
    shard.batches(14, table, None)
    loaded = Shard.load(table, 0, memory, shard.images(14), 14, lambda _: table)
    for _ in loaded.scan(14, table, None, 0, 1):
        pass
    if key is not None:
        keys = rows.select(["key"])
        loaded.lookup(keys, 14, table, None)
        loaded.read_row([keys.column(0)[1].as_py()], 14, table, None)
        distribution_hashes([keys.column(0)])
    loaded.expire(14, 21)
    for entries in loaded.index_parts(1):
        loaded.free_slots((), entries)
    loaded.close()
    shard.close()


def _fill(memory: Memory) -> None:
    """Insert more keys than a new index has slots, so that it grows."""
    column = Column(1, "key", parse_type("BIGINT"), nullable=False)
    table = Table("warm", "t", (column,), ("key",), id=2, schema_version=1, shards=1)
    shard = Shard(table, 0, memory)
    keys = np.arange(2 * FIRST_SLOTS)
    ops, rows = prepare(
        table, pa.record_batch({OP_NAME: keys.astype(np.int8) & 2, "key": keys}), partial=False
    )
    shard.merge(
        rows,
        ops,
        conflict="update",
        partial=False,
        positions=keys.astype(np.int32),
        commit_lsn=1,
    )
    shard.close()


def main() -> None:
    """Compile, unless that is done, and say how long it took."""
    ensure(print)


if __name__ == "__main__":
    main()
