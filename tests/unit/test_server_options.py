"""Options of a server: read from texts, all mistakes told at once."""

from dataclasses import fields
from pathlib import Path

import pytest

from sluiceway.catalog import UserError
from sluiceway.warehouse import OPTIONS, ServerOptions
from sluiceway.warehouse.server.processes import spare_readers


def test_every_option_is_declared_once_and_has_a_field() -> None:
    assert [option.key for option in OPTIONS] == [field.name for field in fields(ServerOptions)]
    assert all(option.doc for option in OPTIONS)


def test_texts_are_read() -> None:
    options = ServerOptions.parse(
        {"data": "/d", "port": "4711", "log_file_bytes": "64 MiB", "tail_cache_bytes": "5"}
    )
    assert options == ServerOptions(
        data=Path("/d"), port=4711, log_file_bytes=64 << 20, tail_cache_bytes=5
    )


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(UserError) as caught:
        ServerOptions.parse({"prot": "1", "port": "70000", "shards": "x", "log_file_bytes": "1 PB"})
    for word in ("prot", "70000", "shards", "1 PB"):
        assert word in str(caught.value)
    assert caught.value.sqlstate == "22023"


@pytest.mark.parametrize(("cores", "readers"), [(1, 0), (2, 0), (3, 1), (6, 4), (64, 4)])
def test_reading_processes_take_the_cores_that_are_left(cores: int, readers: int) -> None:
    assert spare_readers(cores) == readers
