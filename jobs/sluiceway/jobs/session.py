"""A session: Flink SQL as Hologres writes it, run by PyFlink.

The runtime mode of a table environment cannot change, so a session holds two, streaming and batch,
and makes the second one when it is first asked for.

Invariants:
* Whatever is of the session (catalogs, temporary objects, USE, settings) holds in both
  environments: such statements are kept and replayed into the one that is made later.
* Jars, target and settings are in the configuration *before* a catalog is created: procedures
  build their own environment from it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sluiceway.catalog import SluicewayError, UserError, error_from_text
from sluiceway.jobs.flinkrest import root_line
from sluiceway.jobs.gateway import start_gateway
from sluiceway.jobs.rewrite import (
    Command,
    KnownSource,
    ResetOption,
    Rewriter,
    SetOption,
    Sql,
    SqlSet,
)
from sluiceway.jobs.statements import Unit, split

RUNTIME_MODE = "execution.runtime-mode"
# Statements whose effect lives in the environment, not in a catalog that both share.
_OF_SESSION = re.compile(
    r"\s*(USE|LOAD|UNLOAD|ADD\s+JAR|REMOVE\s+JAR|(CREATE|ALTER|DROP)\s+CATALOG"
    r"|(CREATE|ALTER|DROP)\s+(OR\s+ALTER\s+)?TEMPORARY)\b",
    re.IGNORECASE,
)
_PLACE_IN_TEXT = re.compile(r" at line \d+, column \d+")  # of the statement, not of the file
# What Flink's own refusals leave open, by what follows the name that they begin with.
_CURES = {
    "has no default value and does not allow NULLs": (
        ": name it in the column list of the INSERT and give it a value"
    ),
}
_PLACE = re.compile(r"line (\d+), column (\d+)")


@dataclass(frozen=True)
class SessionOptions:
    """Where the statements of a session run, and with what."""

    target: str | None = None  # REST address of a cluster; None: inside this process
    jars: tuple[Path, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    mode: str = "streaming"
    logs: Path | None = None  # of the client's JVM
    conf: Path | None = None  # Flink's configuration folder for the client's JVM

    def configuration(self) -> dict[str, str]:
        """Return the Flink configuration that these options mean."""
        config = {
            "table.local-time-zone": "UTC",
            "parallelism.default": "1",
            # Rows that may wait for a look-up: with Flink's 100 a join is bound by round trips.
            "table.exec.async-lookup.buffer-capacity": "2000",
        }
        if self.jars:
            config["pipeline.jars"] = ";".join(jar.absolute().as_uri() for jar in self.jars)
        if self.target:
            host, _, port = self.target.rpartition(":")
            config |= {"execution.target": "remote", "rest.address": host, "rest.port": port}
        return {**config, **self.settings}


class Session:
    """Two table environments and the rewriter before them."""

    def __init__(self, options: SessionOptions) -> None:
        start_gateway(logs=options.logs, conf=options.conf)
        self.options = options
        self.mode = options.mode
        self._initial = options.configuration()
        self._settings = dict(self._initial)
        self._environments: dict[str, Any] = {}
        self._bases: dict[str, dict[str, str]] = {}  # of each: what holds without any SET
        self._replayed: list[str] = []
        self._rewriter = Rewriter(self.columns_of)

    @property
    def environment(self) -> Any:
        """Return the PyFlink table environment of the present runtime mode."""
        if self.mode not in self._environments:
            made = _environment(self.mode, self._initial)
            self._bases[self.mode] = dict(_root_configuration(made).toMap())
            for key, value in self._settings.items():
                made.get_config().set(key, value)
            for statement in self._replayed:
                made.execute_sql(statement)
            self._environments[self.mode] = made
        return self._environments[self.mode]

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of the session, the runtime mode included."""
        return {**self._settings, RUNTIME_MODE: self.mode}

    def execute(self, unit: Unit) -> Any:
        """Run one unit of a file; return PyFlink's result, None where there is none."""
        return self.run(self.command(unit))

    def command(self, unit: Unit) -> Command:
        """Return what a unit means, without running it."""
        with errors_at(unit.line):
            return self._rewriter.rewrite(unit)

    def execute_sql(self, text: str) -> Any:
        """Run one statement, or one statement set."""
        units = split(text)
        if len(units) != 1:
            raise UserError(f"execute_sql takes one statement, not {len(units)}")
        return self.execute(units[0])

    def run(self, command: Command) -> Any:
        """Run a command; an error of Flink becomes ours, and says the line that it is about."""
        match command:
            case Sql():
                with errors_at(command.line):
                    return self._run_sql(command.text)
            case SqlSet():
                return self._run_set(command)
            case SetOption() if command.key:
                self._set(command.key, command.value)
            case ResetOption():
                self._reset(command.key)
            case SetOption() | KnownSource():
                pass
        return None

    def columns_of(self, relation: str) -> list[str]:
        """Return the column names of what may stand after FROM."""
        table = self.environment.sql_query(f"SELECT * FROM {relation}")
        return [str(name) for name in table.get_resolved_schema().get_column_names()]

    def _run_sql(self, text: str) -> Any:
        result = self.environment.execute_sql(text)
        if _OF_SESSION.match(text):
            self._share(text)
        return result

    def _run_set(self, command: SqlSet) -> Any:
        statement_set = self.environment.create_statement_set()
        for insert in command.inserts:
            with errors_at(insert.line):
                statement_set.add_insert_sql(insert.text)
        try:
            return statement_set.execute()
        except Exception as error:
            self._find_bad(command.inserts)
            with errors_at(command.line):
                raise error

    def _find_bad(self, inserts: tuple[Sql, ...]) -> None:
        """Raise for the INSERT that cannot be planned alone: the set's own error names none."""
        for insert in inserts:
            with errors_at(insert.line):
                self.environment.explain_sql(insert.text)

    def _share(self, statement: str) -> None:
        """Keep a statement for the environment that is made later; give it to the one that is."""
        self._replayed.append(statement)
        for mode, environment in self._environments.items():
            if mode != self.mode:
                environment.execute_sql(statement)

    def _set(self, key: str, value: str) -> None:
        if key == RUNTIME_MODE:
            if value.lower() not in ("streaming", "batch"):
                raise UserError(f"{RUNTIME_MODE} is 'streaming' or 'batch', not {value!r}")
            self.mode = value.lower()
            return
        self._settings[key] = value
        for environment in self._environments.values():
            environment.get_config().set(key, value)

    def _reset(self, key: str | None) -> None:
        for name in [key] if key else list(self._settings):
            self._settings.pop(name, None)
            for mode, environment in self._environments.items():
                _unset(environment, name, self._bases[mode].get(name))
            if name in self._initial:
                self._set(name, self._initial[name])
        if key in (None, RUNTIME_MODE):
            self.mode = self.options.mode


def _environment(mode: str, settings: Mapping[str, str]) -> Any:
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    config = Configuration()
    for key, value in settings.items():
        config.set_string(key, value)
    builder = EnvironmentSettings.new_instance().with_configuration(config)
    builder = builder.in_batch_mode() if mode == "batch" else builder.in_streaming_mode()
    return TableEnvironment.create(builder.build())


def _root_configuration(environment: Any) -> Any:
    """Return the configuration into which each job that is submitted copies the settings."""
    from pyflink.util.java_utils import get_j_env_configuration

    return get_j_env_configuration(environment._get_j_env())


def _unset(environment: Any, key: str, base: str | None) -> None:
    """Take a setting back where it was set, and where a job that ran meanwhile has copied it."""
    environment.get_config().get_configuration()._j_configuration.removeKey(key)
    root = _root_configuration(environment)
    root.removeKey(key)
    if base is not None:
        root.setString(key, base)


@contextmanager
def errors_at(line: int) -> Iterator[None]:
    """Turn what is raised inside into ours, prefixed by the line of the statement at `line`.

    Where Flink knows the place inside the statement, that line and column are named.
    """
    try:
        yield
    except SluicewayError as error:
        raise type(error)(f"line {line}: {error.message}", sqlstate=error.sqlstate) from error
    except Exception as error:
        trace = _trace(error)
        ours = error_from_text(trace) or UserError(_reason(trace), sqlstate="42000")
        place = _PLACE.search(trace)
        where = f"line {line}"
        if place is not None and place[1] != "0":
            where = f"line {line + int(place[1]) - 1}, column {place[2]}"
        raise type(ours)(f"{where}: {ours.message}", sqlstate=ours.sqlstate) from error


def _reason(trace: str) -> str:
    """Return the innermost cause; of a parse error without the list of all that could stand."""
    reason = root_line(trace).partition(" Was expecting")[0]
    cure = _CURES.get(reason.partition("' ")[2], "")
    return _PLACE_IN_TEXT.sub("", reason) + cure


def _trace(error: Exception) -> str:
    """Return messages and causes of an exception of PyFlink or py4j."""
    java = getattr(error, "java_exception", None)
    if java is None:
        return str(getattr(error, "stack_trace", None) or error)
    lines = [str(java.toString())]
    cause = java.getCause()
    while cause is not None and len(lines) < 30:
        lines.append("Caused by: " + str(cause.toString()))
        cause = cause.getCause()
    return "\n".join(lines)


def rows(result: Any, limit: int | None = None) -> list[tuple[Any, ...]]:
    """Return the rows of a small result; with a limit stop there, which ends the job."""
    with result.collect() as found:
        return [tuple(row) for row in islice(found, limit)]


def changes(result: Any) -> Iterator[str]:
    """Yield the changes of a streaming result as they come: `+I[1, a]`."""
    with result.collect() as found:
        for row in found:
            yield f"{row.get_row_kind()}[{', '.join(map(str, row))}]"


def names(result: Any) -> list[str]:
    """Return the column names of a result."""
    return [str(name) for name in result.get_resolved_schema().get_column_names()]
