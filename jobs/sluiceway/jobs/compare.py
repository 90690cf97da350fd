"""Answers of the store against what they must be."""

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from sluiceway.catalog import SluicewayError
from sluiceway.jobs.tutorial import Check, Row
from sluiceway.warehouse.client import Client

_WIDTH = 120


class Difference(SluicewayError):
    """An answer is not what it must be."""

    sqlstate = "XX000"
    exit_code = 1


def as_text(rows: Sequence[Sequence[Any]]) -> tuple[Row, ...]:
    """Return rows as text, so that answers of any source compare: NULL is None."""
    return tuple(tuple(_text(value) for value in row) for row in rows)


def rows_of(client: Client, query: str) -> tuple[Row, ...]:
    """Return the answer of the store as text."""
    table = client.sql(query)
    return as_text(list(zip(*(column.to_pylist() for column in table.columns), strict=True)))


def await_answer(client: Client, check: Check, *, deadline_s: float) -> tuple[Row, ...]:
    """Ask until the answer is right; past the deadline raise with what differs."""
    end = time.monotonic() + deadline_s
    found: tuple[Row, ...] | SluicewayError = ()
    while True:
        try:
            found = rows_of(client, check.query)
        except SluicewayError as error:  # the table may not be there yet, the store be away
            found = error
        if found == check.rows:
            return check.rows
        if time.monotonic() >= end:
            raise Difference(f"{check.title}: {difference(check.rows, found)}")
        time.sleep(0.1)


def difference(wanted: Sequence[Row], found: Sequence[Row] | SluicewayError) -> str:
    """Return in words what is missing and what is too much."""
    if isinstance(found, SluicewayError):
        return f"no answer: {found.text()}"
    missing = [row for row in wanted if row not in found]
    extra = [row for row in found if row not in wanted]
    if not missing and not extra:
        return f"the right rows in the wrong order or number: {_some(found)}"
    return f"missing {_some(missing)}; not expected {_some(extra)}"


def show(console: Console, client: Client, check: Check, rows: Sequence[Row]) -> None:
    """Print an answer as a table; names and times of wide tables take several lines."""
    names = client.sql(f"SELECT * FROM ({check.query}) LIMIT 0").column_names
    wide = len(names) > 6
    table = Table(box=SIMPLE_HEAD, title=f"[bold]{check.title}[/]", title_justify="left")
    table.pad_edge, table.collapse_padding = False, True
    for name in names:
        table.add_column(name.replace("_", "_\n") if wide else name, overflow="fold")
    for row in rows:
        cells = ["NULL" if value is None else value for value in row]
        table.add_row(*(cell.replace(" ", "\n") if wide else cell for cell in cells))
    width = max(console.width, _WIDTH)  # a narrow terminal wraps lines, a pipe has no width
    Console(file=console.file, width=width, highlight=False).print(table)


def _some(rows: Sequence[Row]) -> str:
    shown = ", ".join(str(row) for row in rows[:5]) or "nothing"
    return shown + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return f"{value:f}"
    if hasattr(value, "isoformat") and getattr(value, "tzinfo", None) is not None:
        return str(value.replace(tzinfo=None))
    return str(value)
