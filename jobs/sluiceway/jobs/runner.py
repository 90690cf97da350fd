"""A file of statements, run in order; what each one did is told on the way.

Invariants:
* The whole file is cut into statements before the first one runs: a file with an open string or
  comment changes nothing.
* The first bad statement ends the run; the error names file and line, and what ran before it stays.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sluiceway.catalog import SluicewayError
from sluiceway.jobs.render import render
from sluiceway.jobs.rewrite import Command, KnownSource, ResetOption, SetOption, Sql, SqlSet
from sluiceway.jobs.session import Session, changes, names, rows
from sluiceway.jobs.statements import Unit, split, substitute

Say = Callable[[str], None]


@dataclass
class Runner:
    """Runs scripts in a session; `jobs` holds the ids of all jobs that were submitted."""

    session: Session
    say: Say = print
    form: str = "table"
    jobs: list[str] = field(default_factory=list)

    def run(
        self, text: str, *, origin: str = "<text>", variables: dict[str, str] | None = None
    ) -> list[str]:
        """Run a script; return the ids of the jobs that it submitted."""
        submitted = len(self.jobs)
        try:
            for unit in split(substitute(text, variables or {})):
                self._run(unit)
        except SluicewayError as error:
            raise type(error)(f"{origin}, {error.message}", sqlstate=error.sqlstate) from error
        return self.jobs[submitted:]

    def _run(self, unit: Unit) -> None:
        command = self.session.command(unit)
        result = self.session.run(command)
        where = f"line {unit.line}"
        job = _job_id(result)
        if job is not None and not _shows_rows(command):
            self.jobs.append(job)
            self.say(f"{where}: {title(command)}: job {job}")
        elif result is not None and _shows_rows(command):
            self._show(result, as_changes=job is not None and self.session.mode == "streaming")
        elif isinstance(command, SetOption) and command.key is None:
            self.say(render(("key", "value"), sorted(self.session.settings.items()), self.form))
        else:
            self.say(f"{where}: {title(command)}")

    def _show(self, result: Any, *, as_changes: bool) -> None:
        """Tell the rows: those of a stream one by one, it may have no end."""
        columns = names(result)
        if as_changes:
            for change in changes(result):
                self.say(change)
            return
        found = rows(result)
        if "job_id" in columns:  # of a procedure that has submitted one
            self.jobs += [str(row[columns.index("job_id")]) for row in found]
        text = render(columns, found, self.form)
        if text:
            self.say(text)


def title(command: Command) -> str:
    """Return a command in a few words."""
    match command:
        case Sql():
            head = " ".join(command.text.split("(")[0].split())
            return head if len(head) <= 72 else head[:71] + "…"
        case SqlSet():
            return f"statement set of {len(command.inserts)} INSERTs"
        case SetOption():
            return f"SET {command.key} = {command.value}"
        case ResetOption():
            return f"RESET {command.key or ''}".rstrip()
        case KnownSource():
            return f"catalog {command.name} is noted as a source"


def _shows_rows(command: Command) -> bool:
    words = command.text.split(maxsplit=1) if isinstance(command, Sql) else []
    shown = ("SELECT", "WITH", "VALUES", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "CALL", "(SELECT")
    return bool(words) and words[0].upper() in shown


def _job_id(result: Any) -> str | None:
    client = result.get_job_client() if result is not None else None
    return None if client is None else str(client.get_job_id())
