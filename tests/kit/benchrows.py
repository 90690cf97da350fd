"""The rows that benchmarks move through Flink: an order of 14 columns, known in closed form.

Row `i` has `seq` i and the key i * PRIME % keys, so every pass over `keys` rows touches each key
once, without locality; `pay_id` is a random walk over the keys and a ninth more, of which a tenth
therefore miss.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

PRIME = 618_033_989
BATCH_ROWS = 50_000
COLUMNS = {
    "order_id": "BIGINT",
    "user_id": "STRING",
    "shop_id": "BIGINT",
    "product_id": "BIGINT",
    "fee": "DECIMAL(20, 2)",
    "create_time": "TIMESTAMP(3)",
    "update_time": "TIMESTAMP(3)",
    "state": "INT",
    "pay_id": "BIGINT",
    "pay_platform": "STRING",
    "product_name": "STRING",
    "catalog_name": "STRING",
    "ts": "BIGINT",
    "seq": "BIGINT",
}
_MOMENT_US = 1_700_000_000_000_000
_STRINGS = {
    "user_id": "user_{:06}",
    "pay_platform": "platform {:03}",
    "product_name": "product name {:05}",
    "catalog_name": "catalog {:05}",
}
_WORDS = {name: pa.array([form.format(n) for n in range(4096)]) for name, form in _STRINGS.items()}


def batches(rows: int, keys: int) -> Iterator[pa.RecordBatch]:
    """Yield rows 0 … rows - 1 as `RecordBatch[order_id: int64, …]`, no key twice in a batch."""
    step = min(BATCH_ROWS, keys)
    for first in range(0, rows, step):
        yield batch(np.arange(first, min(first + step, rows)), keys)


def batch(seq: "np.ndarray[tuple[int], np.dtype[np.int64]]", keys: int) -> pa.RecordBatch:
    """Return the rows of these numbers."""
    values = {name: words.take(pa.array(seq * 31 % 4096)) for name, words in _WORDS.items()}
    cents = np.zeros((len(seq), 2), np.int64)  # little-endian int128
    cents[:, 0] = seq * 7 % 1_000_003
    fee = pa.Array.from_buffers(pa.decimal128(20, 2), len(seq), [None, pa.py_buffer(cents)])
    times = pa.array(_MOMENT_US + seq * 1000).cast(pa.timestamp("us"))
    values |= {
        "order_id": pa.array(seq * PRIME % keys),
        "shop_id": pa.array(10_000 + seq % 1_000),
        "product_id": pa.array(seq % 10_000),
        "fee": fee,
        "create_time": times.cast(pa.timestamp("ms")),
        "update_time": times.cast(pa.timestamp("ms")),
        "state": pa.array((seq % 5).astype(np.int32)),
        "pay_id": pa.array(seq * 7_919 % probed(keys)),
        "ts": pa.array(_MOMENT_US // 1000 + seq),
        "seq": pa.array(seq),
    }
    return pa.RecordBatch.from_pydict({name: values[name] for name in COLUMNS})


def probed(keys: int) -> int:
    """Return how many different `pay_id` there are at most."""
    return keys * 10 // 9


def last_pass(rows: int, keys: int) -> tuple[int, int]:
    """Return COUNT(*) and SUM(seq) of a table keyed by `order_id` that took all the rows."""
    kept = min(rows, keys)
    return kept, sum(range(rows - kept, rows))


def hits(rows: int, keys: int) -> int:
    """Return how many of the rows have a `pay_id` that is a key."""
    return int(np.count_nonzero(np.arange(rows) * 7_919 % probed(keys) < keys))
