"""The distribution hash is frozen: XXH3 as the library has it, and vectors for other languages."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xxhash

from sluiceway.catalog import Column, Table, parse_type
from sluiceway.warehouse.kernels.hashing import distribution_words
from sluiceway.warehouse.table import distribution_hashes, shard_of
from sluiceway.warehouse.table.arrays import rows_of

VECTORS = Path(__file__).parents[1] / "fixtures" / "distribution-hash-v1.json"


def _strings() -> list[bytes]:
    random = np.random.default_rng(7)
    sizes = [*range(300), 511, 512, 513, 1023, 1024, 1025, 1087, 1088, 1089, 2048, 2049, 10_000]
    return [random.bytes(size) for size in sizes]


def test_xxh3_equals_the_library_at_every_length() -> None:
    strings = _strings()
    words = np.empty(len(strings), np.int64)
    array = pa.array(strings, pa.binary())
    distribution_words(rows_of([array]), False, words)
    wanted = [xxhash.xxh3_64_intdigest(text) for text in strings]
    assert words.view(np.uint64).tolist() == wanted


def test_sliced_strings_hash_alike() -> None:
    strings = pa.array(_strings(), pa.binary())
    assert (distribution_hashes([strings])[5:] == distribution_hashes([strings[5:]])).all()


def _column(vector: dict[str, Any]) -> list[pa.Array]:
    return [
        pa.array([value]).cast(parse_type(kind).arrow())
        for kind, value in zip(vector["types"], vector["values"], strict=True)
    ]


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text())["vectors"])
def test_frozen_vectors(vector: dict[str, Any]) -> None:
    hashes = distribution_hashes(_column(vector))
    assert f"{int(hashes[0]):016x}" == vector["hash"]
    names = tuple(f"c{at}" for at in range(len(vector["types"])))
    columns = tuple(
        Column(at + 1, name, parse_type(kind), False)
        for at, (name, kind) in enumerate(zip(names, vector["types"], strict=True))
    )
    table = Table("db", "t", columns, names, distribution_key=names, shards=8)
    batch = pa.RecordBatch.from_arrays(_column(vector), list(names))
    assert shard_of(table, batch).tolist() == [vector["shard_of_8"]]


def test_integers_of_all_widths_hash_alike() -> None:
    kinds = (pa.int8(), pa.int16(), pa.int32(), pa.int64())
    hashes = [int(distribution_hashes([pa.array([-5], kind)])[0]) for kind in kinds]
    assert len(set(hashes)) == 1


def test_float_forms_of_one_number_hash_alike() -> None:
    def of(value: float, kind: pa.DataType) -> int:
        return int(distribution_hashes([pa.array([value], kind)])[0])

    assert of(-0.0, pa.float64()) == of(0.0, pa.float64())
    assert of(1.5, pa.float32()) == of(1.5, pa.float64())
    odd_nan = np.array([0xFFF8000000000001], np.uint64).view(np.float64)[0]
    assert of(odd_nan, pa.float64()) == of(float("nan"), pa.float64())


def test_one_shard_is_shard_0_and_rows_without_a_key_go_round() -> None:
    column = Column(1, "k", parse_type("BIGINT"), False)
    batch = pa.record_batch({"k": [1, 2, 3]})
    assert shard_of(Table("db", "t", (column,), ("k",), shards=1), batch).tolist() == [0, 0, 0]
    keyless = Table("db", "t", (column,), (), shards=4)
    assert shard_of(keyless, batch).tolist() == [0, 1, 2]
    assert shard_of(keyless, batch, turn=2**32 - 1).tolist() == [3, 0, 1]
