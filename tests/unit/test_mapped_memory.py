"""Mapped memory: files of zeros that outlive their names, and a clear word when space ends."""

from pathlib import Path

import numpy as np
import pytest

from sluiceway.catalog import DiskFullError
from sluiceway.warehouse.table import Control, ControlView, Memory, retire


def test_files_are_zero_and_named_by_serial(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "run")
    first, second = memory.create("a", 4096), memory.create("a", 8192)
    assert first.path != second.path
    assert not np.frombuffer(second.buffer, np.uint8).any()
    assert memory.stats().files == 2
    assert memory.stats().mapped_bytes == 4096 + 8192
    memory.close()
    assert list((tmp_path / "run").iterdir()) == []


def test_pages_outlive_the_file(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    mapped = memory.create("a", 4096)
    words = np.frombuffer(mapped.buffer, np.int64)
    words[0] = 7
    memory.release(mapped)
    assert not mapped.path.exists()
    del mapped
    assert words[0] == 7


def test_full_memory_is_named_before_anything_is_written(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    with pytest.raises(DiskFullError, match="enlarge that file system") as raised:
        memory.require(1 << 60)
    assert str(tmp_path) in str(raised.value)


def test_a_process_out_of_maps_is_told_before_anything_is_written(tmp_path: Path) -> None:
    memory = Memory(tmp_path, maps_max=4)
    files = [memory.create("a", 4096) for _ in range(3)]
    with pytest.raises(DiskFullError, match=r"allows a process 4 maps: .*vm\.max_map_count"):
        memory.require(1)
    memory.create("a", 4096)  # of a commit that was allowed
    memory.release(files[0])
    memory.release(files[1])
    memory.require(1)


def test_control_publishes_one_word(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    control = Control(memory)
    assert control.published() == 0
    control.publish(41)
    assert control.published() == 41
    memory.close()


def test_who_reads_is_told_when_a_process_ends(tmp_path: Path) -> None:
    for end in (Control.close, lambda _: retire(tmp_path)):
        memory = Memory(tmp_path)
        control = Control(memory)
        control.publish(41)
        control.open(7)
        view = ControlView.attach(tmp_path)
        assert view.shows(41) and not view.shows(40)
        end(control)
        assert not view.shows(41) and view.published() == 41
        memory.close()
    retire(tmp_path)  # nothing is left to be told in
