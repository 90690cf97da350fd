"""A private MariaDB for tests: one server a session, a database of its own for each test."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluiceway.jobs.mysql import MySQL


@pytest.fixture(scope="session")
def mysql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MySQL]:
    """A server with row binlog, up for the whole session."""
    with MySQL(tmp_path_factory.mktemp("mysql")) as server:
        yield server


@pytest.fixture
def mysql_database(mysql_server: MySQL, request: pytest.FixtureRequest) -> Iterator[str]:
    """Name of an empty database, dropped after the test."""
    name = f"test_{zlib.crc32(request.node.nodeid.encode())}"
    mysql_server.run(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name}")
    yield name
    mysql_server.run(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def mysql_without_binlog(tmp_path: Path) -> Iterator[MySQL]:
    """A server whose binlog holds statements, not rows: a sync must refuse it."""
    with MySQL(tmp_path / "mysql", binlog_format="STATEMENT") as server:
        yield server
