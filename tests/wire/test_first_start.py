"""The first start on a machine compiles all kernels, so that no request ever waits for one."""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

import sluiceway.catalog
import sluiceway.warehouse
from kit.server import ServerProcess
from kit.tables import make_orders, orders

pytestmark = pytest.mark.slow


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the store whose kernels were never compiled, which child processes import."""
    folder = tmp_path / "install"
    for package in (sluiceway.catalog, sluiceway.warehouse):
        source = Path(package.__file__).parent  # type: ignore[arg-type]
        unused = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, folder / "sluiceway" / source.name, ignore=unused)
    paths = [str(folder), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    return folder


@pytest.fixture
def servers(tmp_path: Path, install: Path) -> Iterator[list[ServerProcess]]:
    """Two servers that are started at the same moment."""
    made = [ServerProcess(tmp_path / name) for name in ("a", "b")]
    with ThreadPoolExecutor(len(made)) as pool:
        list(pool.map(ServerProcess.start, made))
    yield made
    for server in made:
        server.stop()


def kernels(install: Path) -> set[str]:
    """What numba has compiled."""
    return {path.name for path in install.rglob("*.nbc")}


def test_no_request_waits_for_a_compiler(install: Path, servers: list[ServerProcess]) -> None:
    said = "".join(server.errors() for server in servers)
    assert said.count("kernels compiled in") == 1
    compiled = kernels(install)
    assert compiled
    with servers[0].client() as client:
        table = make_orders(client)
        client.write("dw", "orders", orders(0, 5_000, table))
        client.write("dw", "orders", orders(2_000, 5_000, table))
        assert client.read("dw", "orders").num_rows == 7_000
        keys = pa.record_batch({"order_id": pa.array([1, 6_999, 9_999])})
        assert client.lookup("dw", "orders", keys).num_rows == 2
        assert client.sql("SELECT count(*) FROM dw.orders").to_pylist() == [{"count_star()": 7_000}]
        client.checkpoint()
        client.truncate("dw", "orders")
        assert client.read("dw", "orders").num_rows == 0
    assert kernels(install) == compiled
