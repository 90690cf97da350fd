"""Where things are: the endpoint of a store, the files of its Flink cluster, the jars.

./warehouse            a data folder: the store's alone
./warehouse.flink/     the session cluster that works on it (a store refuses foreign files)
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import psutil

from sluiceway.catalog import NotFoundError, UnavailableError, UserError
from sluiceway.connector import jar_path, sync_jar_path

_ADDRESS = re.compile(r"(?:grpc://)?([\w.\-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})/?")


def address(text: str) -> str | None:
    """Return `host:port` if the text is an address, None if it must be a path."""
    found = _ADDRESS.fullmatch(text)
    return f"{found[1]}:{found[2]}" if found else None


def served_at(data: Path) -> str | None:
    """Return `host:port` of the store that serves a data folder now, None if none does."""
    try:
        lock = json.loads((data / "LOCK").read_text())
        pid, endpoint = int(lock["pid"]), lock["endpoint"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return address(str(endpoint)) if endpoint and psutil.pid_exists(pid) else None


def endpoint(given: str | None, data: Path) -> str:
    """Return the address that was given, else the one of the store that serves the folder."""
    if given is not None:
        found = address(given)
        if found is None:
            raise UserError(f"endpoint {given!r} is not host:port")
        return found
    found = served_at(data)
    if found is None:
        raise UnavailableError(
            f"no store serves {data}: start one with `sluiceway serve --data {data}`, "
            "or name one with --endpoint host:port"
        )
    return found


def flink_folder(data: Path) -> Path:
    """Return the folder of the session cluster that belongs to a data folder."""
    path = data.absolute()
    return path.with_name(path.name + ".flink")


def connector_jar(*, sync: bool = False) -> Path:
    """Return the connector's jar, or the one of the database sync."""
    try:
        return sync_jar_path() if sync else jar_path()
    except FileNotFoundError as error:
        raise NotFoundError(str(error), sqlstate="58P01") from error


def jars() -> tuple[Path, ...]:
    """Return the jars for Flink; the one of the database sync is left out if it was not built."""
    found = [connector_jar()]
    try:
        found.append(connector_jar(sync=True))
    except NotFoundError:
        pass
    return tuple(found)


def catalog_ddl(name: str, store: str, options: Sequence[tuple[str, str]] = ()) -> str:
    """Return the CREATE CATALOG that registers a store."""
    pairs = [("type", "sluiceway"), ("endpoint", store), *options]
    body = ", ".join(f"'{key}' = '{value}'" for key, value in pairs)
    return f"CREATE CATALOG `{name}` WITH ({body})"
