"""`sluiceway run`: a script against a store and a session cluster."""

from pathlib import Path

from sluiceway.catalog import CreateDatabase, UserError
from sluiceway.jobs import places
from sluiceway.jobs.flinkrest import FlinkRest
from sluiceway.jobs.lexer import code, find, identifier
from sluiceway.jobs.runner import Runner
from sluiceway.jobs.session import Session, SessionOptions
from sluiceway.warehouse.client import Client

_ATTACHED_S = 365 * 86400.0  # as long as the user stays


def run_script(
    text: str,
    *,
    origin: str,
    store: str,
    target: str,
    catalog: str,
    database: str,
    folder: Path,
    variables: dict[str, str] | None = None,
    form: str = "table",
    attach: bool = False,
) -> list[str]:
    """Run a script with the store as a catalog; return the ids of the submitted jobs."""
    rest = FlinkRest(target)
    rest.overview()  # no cluster: say so before a JVM is started
    session = Session(cluster_session(folder, target))
    if not creates_catalog(text, catalog):
        with Client(store) as client:
            client.ddl(CreateDatabase(database, if_not_exists=True))
        session.execute_sql(places.catalog_ddl(catalog, store, [("dbname", database)]))
    runner = Runner(session, form=form)
    runner.run(text, origin=origin, variables={"endpoint": store, **(variables or {})})
    for job in runner.jobs if attach else []:
        ended = rest.wait_ended(job, deadline_s=_ATTACHED_S)
        if ended.state == "FAILED":
            raise UserError(f"job {job} ({ended.name}) failed: {rest.failure(job)}")
    return runner.jobs


def cluster_session(folder: Path, target: str) -> SessionOptions:
    """Return the options of a session whose jobs run on a cluster."""
    from sluiceway.jobs.cluster import job_defaults

    conf = folder / "conf"
    ours = conf.is_dir()  # a cluster that somebody else runs has its own folders, and not our jars
    return SessionOptions(
        target=target,
        jars=() if ours else places.jars(),
        settings=job_defaults(folder / "checkpoints" if ours else None),
        logs=folder / "log" if ours else None,
        conf=conf if ours else None,
    )


def creates_catalog(text: str, name: str) -> bool:
    """Tell whether a script makes the catalog of this name itself."""
    parts = code(text)
    at = find(parts, "CREATE", "CATALOG")
    while at >= 0:
        names = [t for t in parts[at + 2 : at + 6] if not t.is_word("IF", "NOT", "EXISTS")]
        if names and identifier(names[0]) == name:
            return True
        parts = parts[at + 2 :]
        at = find(parts, "CREATE", "CATALOG")
    return False
