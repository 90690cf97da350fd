"""The command line.

Invariants: an error of ours is one line on stderr and the exit code of its class; results go to
stdout, everything else to stderr or, where it is the command's purpose, to stdout.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sluiceway.catalog import SERVER_OPTIONS, SluicewayError
from sluiceway.jobs import places
from sluiceway.jobs.render import FORMATS, render
from sluiceway.warehouse.options import CONFIG, ServerOptions, flag_of, variable_of

_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=ServerOptions.data,
    show_default=True,
    envvar=variable_of("data"),
    show_envvar=True,
    help="Data folder of the warehouse.",
)
_ENDPOINT = click.option("--endpoint", help="host:port of the store [default: the one of --data].")
_TARGET = click.option(
    "--target", help="host:port of a Flink cluster's REST interface [default: `flink start`'s]."
)
_FORMAT = click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", show_default=True
)


class _Group(click.Group):
    """A group whose commands report our errors as one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SluicewayError as error:
            click.echo(f"sluiceway: [{error.sqlstate}] {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sluiceway")
def main() -> None:
    """An open streaming warehouse for Flink SQL."""


def _server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each that a server has (docs/options.md)."""
    for option in reversed(SERVER_OPTIONS):
        default = "" if option.default is None else f"; default: {option.default}"
        help_text = f"{option.doc}  [env var: {variable_of(option.key)}{default}]"
        command = click.option(flag_of(option.key), option.key, help=help_text)(command)
    return command


@main.command()
@_server_options
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"TOML file of these options; the environment counts before it.  [env var: {CONFIG}]",
)
@click.option("--read-only", is_flag=True, help="Only read what another process serves.")
def serve(config: Path | None, read_only: bool, **arguments: str | None) -> None:
    """Serve a warehouse until Ctrl-C; prints its endpoint when it is ready."""
    options = ServerOptions.gather(arguments, os.environ, config)
    from sluiceway.warehouse.server import serve as serve_until_signal
    from sluiceway.warehouse.server import serve_reads

    sys.exit(serve_reads(options) if read_only else serve_until_signal(options))


@main.group()
def flink() -> None:
    """Run a Flink session cluster from PyFlink's own jars."""


@flink.command()
@_DATA
def start(data: Path) -> None:
    """Start the cluster, or what of it is missing; prints its REST address."""
    from sluiceway.jobs.cluster import SessionCluster

    cluster = SessionCluster(places.flink_folder(data))
    click.echo(cluster.start())
    click.echo(f"log files in {cluster.logs}", err=True)


@flink.command()
@_DATA
def stop(data: Path) -> None:
    """Stop the cluster and every job on it."""
    from sluiceway.jobs.cluster import SessionCluster

    was = SessionCluster(places.flink_folder(data)).stop()
    click.echo("stopped" if was else "no cluster was running", err=True)


@flink.command()
@_DATA
@_TARGET
@_FORMAT
def jobs(data: Path, target: str | None, form: str) -> None:
    """List the jobs."""
    found = _rest(data, target).jobs()
    rows = [(job.id, job.state, job.name) for job in found]
    _show(render(("job", "state", "name"), rows, form))


@flink.command()
@_DATA
@_TARGET
@click.argument("job")
def cancel(data: Path, target: str | None, job: str) -> None:
    """Cancel a job, named by its id or the first digits of it."""
    ended = _rest(data, target).cancel(job)
    click.echo(f"{ended.id} {ended.state}", err=True)


@flink.command()
@_DATA
@_TARGET
@click.option("--stop", "stops", is_flag=True, help="Stop the job with the savepoint.")
@click.option("--to", "folder", help="Folder of the savepoint [default: the cluster's].")
@click.argument("job")
def savepoint(data: Path, target: str | None, stops: bool, folder: str | None, job: str) -> None:
    """Write a savepoint of a job; prints its path."""
    click.echo(_rest(data, target).savepoint(job, folder, stop=stops))


@main.command()
@_DATA
@_ENDPOINT
@_TARGET
@click.option("--attach", is_flag=True, help="Stay until every submitted job has ended.")
@click.option("--catalog", default="dw", show_default=True, help="Name of the warehouse's catalog.")
@click.option("--database", default="default", show_default=True, help="Its default database.")
@click.option("-D", "defines", multiple=True, metavar="NAME=VALUE", help="Value for ${NAME}.")
@_FORMAT
@click.argument("file", type=click.File("r", encoding="utf-8"))
def run(
    data: Path,
    endpoint: str | None,
    target: str | None,
    attach: bool,
    catalog: str,
    database: str,
    defines: tuple[str, ...],
    form: str,
    file: Any,
) -> None:
    """Run a file of Flink SQL ('-' is stdin); jobs are submitted, their ids printed."""
    from sluiceway.jobs.script import run_script

    variables = dict(define.partition("=")[::2] for define in defines)
    run_script(
        file.read(),
        origin=file.name,
        store=places.endpoint(endpoint, data),
        target=_address(data, target),
        catalog=catalog,
        database=database,
        variables=variables,
        form=form,
        attach=attach,
        folder=places.flink_folder(data),
    )


@main.command()
@_DATA
@_ENDPOINT
@_FORMAT
@click.option("--database", help="Database of the names that have none.")
@click.option("--lsn", type=int, help="Ask the state at this log position.")
@click.option("--as-of", metavar="TIME", help="Ask the state at this time; without zone it is UTC.")
@click.argument("query")
def sql(
    data: Path,
    endpoint: str | None,
    form: str,
    database: str | None,
    lsn: int | None,
    as_of: str | None,
    query: str,
) -> None:
    """Ask the store: a running one, or the data folder itself if nothing serves it."""
    from sluiceway.jobs.ask import ask

    table = ask(query, endpoint=endpoint, data=data, database=database, lsn=lsn, as_of=as_of)
    columns = [column.to_pylist() for column in table.columns]
    _show(render(table.column_names, zip(*columns, strict=True), form))


@main.command()
@_DATA
@_ENDPOINT
@_FORMAT
def status(data: Path, endpoint: str | None, form: str) -> None:
    """Show tables, shards, rows, log positions and the lag of readers."""
    from sluiceway.jobs.ask import status_lines

    click.echo(status_lines(places.endpoint(endpoint, data), form))


@main.command()
@click.option("--sync", is_flag=True, help="The jar of the database sync.")
def jar(sync: bool) -> None:
    """Print the path of the connector jar, for other Flink clusters."""
    click.echo(places.connector_jar(sync=sync))


@main.command("sync-database")
@_DATA
@_ENDPOINT
@_TARGET
@click.option("--hostname", required=True, help="Host of the MySQL server.")
@click.option("--port", type=int, default=3306, show_default=True)
@click.option("--username", required=True)
@click.option("--password", required=True, envvar="SLUICEWAY_MYSQL_PASSWORD", show_envvar=True)
@click.option("--database", required=True, help="Database in MySQL.")
@click.option("--target-database", help="Database in the warehouse [default: the same name].")
@click.option("--including-tables", help="Names, or regular expressions, with commas between.")
@click.option("--excluding-tables", help="Tables to leave out, written the same way.")
@click.option("--server-id", help="Server id as a replica, or a range like 8001-8004.")
@click.option("--parallelism", type=click.IntRange(1), help="Of the load [default: the cluster's].")
@click.option("--replace", is_flag=True, help="Drop tables of these names that exist.")
@click.option("--savepoint", help="Go on from a savepoint of this sync.")
@click.option("--wait/--no-wait", default=True, help="Return when the full load is done.")
def sync_database(
    data: Path,
    endpoint: str | None,
    target: str | None,
    wait: bool,
    **arguments: Any,
) -> None:
    """Sync a MySQL database into the warehouse: full load, then every change, as one job."""
    from sluiceway.jobs.script import run_script
    from sluiceway.jobs.sync import sync_statement

    run_script(
        sync_statement("dw", wait=wait, **arguments),
        origin="sync-database",
        store=places.endpoint(endpoint, data),
        target=_address(data, target),
        catalog="dw",
        database=arguments["target_database"] or arguments["database"],
        folder=places.flink_folder(data),
    )


@main.command()
@click.option("--keep", is_flag=True, help="Leave everything up until Ctrl-C.")
@click.option("--scale", type=int, metavar="N", help="Run N generated orders instead.")
@click.option("--kill-store", is_flag=True, help="With --scale: SIGKILL the store in the middle.")
@click.option("--apt", is_flag=True, help="Install Debian's MariaDB if none is on the PATH.")
@click.option("--folder", type=click.Path(path_type=Path), help="Keep the files here.")
def demo(keep: bool, scale: int | None, kill_store: bool, apt: bool, folder: Path | None) -> None:
    """Run the five-step warehouse from MySQL to dws_users, and check every answer."""
    from sluiceway.jobs.demo import run_demo

    sys.exit(run_demo(keep=keep, scale=scale, kill_store=kill_store, apt=apt, folder=folder))


def _show(text: str) -> None:
    """Print what was rendered; nothing is no empty line."""
    if text:
        click.echo(text)


def _address(data: Path, target: str | None) -> str:
    """Return the REST address that was given, else the one of the data folder's cluster."""
    from sluiceway.jobs.cluster import SessionCluster

    return target or SessionCluster(places.flink_folder(data)).address


def _rest(data: Path, target: str | None) -> Any:
    from sluiceway.jobs.flinkrest import FlinkRest

    return FlinkRest(_address(data, target))


if __name__ == "__main__":
    main()
