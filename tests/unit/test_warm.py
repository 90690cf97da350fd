"""Kernels are compiled at install, and not again while nothing has changed."""

import subprocess
import sys


def _warm() -> str:
    command = [sys.executable, "-m", "sluiceway.warehouse.warm"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_kernels_are_compiled_once() -> None:
    _warm()
    assert _warm() == ""
