"""`connect`: a table environment with a warehouse in it, for programs.

    t_env = connect("./warehouse")       # a store of its own, stopped when the program ends,
                                         # or the store that serves this folder already
    t_env = connect("host:port")         # a store that runs

Invariants:
* Jobs run inside the program (`target=None`) and end with it, or on the cluster `target`.
* What the program started is stopped when it ends, however it ends.
* `execute_sql` takes Hologres' SQL (rewrite.py); everything else is PyFlink's table environment.
"""

import atexit
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sluiceway.catalog import CreateDatabase
from sluiceway.jobs import places
from sluiceway.jobs.flinkrest import FlinkRest
from sluiceway.jobs.session import Session, SessionOptions
from sluiceway.jobs.store import StoreProcess
from sluiceway.warehouse.client import Client


class Environment:
    """A PyFlink table environment whose SQL goes through the rewriter first."""

    def __init__(self, session: Session, endpoint: str, store: StoreProcess | None) -> None:
        self.session = session
        self.endpoint = endpoint
        self._store = store

    def execute_sql(self, text: str) -> Any:
        """Run one statement or statement set; return PyFlink's result (None for SET, RESET)."""
        return self.session.execute_sql(text)

    def close(self) -> None:
        """Stop the embedded store, if there is one."""
        if self._store is not None:
            atexit.unregister(self._store.stop)
            self._store.stop()
            self._store = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session.environment, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def connect(
    where: str | Path,
    *,
    catalog: str = "dw",
    database: str = "default",
    mode: str = "streaming",
    target: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> Environment:
    """Return a table environment with the warehouse as a catalog, the database made if missing."""
    address = places.address(str(where)) or places.served_at(Path(where))
    store = None
    if address is None:
        store = StoreProcess(Path(where)).start()
        atexit.register(store.stop)
        address = store.endpoint
    try:
        with Client(address) as client:
            client.ddl(CreateDatabase(database, if_not_exists=True))
        jars = _missing_jars(target) if target else ()  # inside this program they are there
        options = SessionOptions(target=target, jars=jars, settings=settings or {}, mode=mode)
        session = Session(options)
        session.execute_sql(places.catalog_ddl(catalog, address, [("dbname", database)]))
        return Environment(session, address, store)
    except BaseException:
        if store is not None:
            store.stop()
        raise


def _missing_jars(target: str) -> tuple[Path, ...]:
    """Return our jars that the cluster does not have.

    A job that brings its classes along leaves some of them in the TaskManager's metaspace when it
    ends, so none is sent that is on the class path there already.
    """
    there = FlinkRest(target).class_path()
    return tuple(jar for jar in places.jars() if jar.name not in there)
