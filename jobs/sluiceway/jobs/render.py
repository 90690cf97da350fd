"""Results for people and for programs: a table, CSV, or one JSON object a line."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SQUARE
from rich.console import Console
from rich.table import Table

FORMATS = ("table", "csv", "json")


def render(names: Sequence[str], rows: Iterable[Sequence[Any]], form: str) -> str:
    """Return rows as text in one of FORMATS, without a final line end; "" is no line at all."""
    match form:
        case "csv":
            return _csv(names, rows)
        case "json":
            documents = (dict(zip(names, map(_plain, row), strict=True)) for row in rows)
            return "\n".join(json.dumps(d, ensure_ascii=False) for d in documents)
        case _:
            return _table(names, list(rows))


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_text(value, "") for value in row] for row in rows)
    return out.getvalue().rstrip("\n")


def _table(names: Sequence[str], rows: list[Sequence[Any]]) -> str:
    """Return a table as wide as its content: a pipe has no width to fit into."""
    table = Table(*map(str, names), box=SQUARE)
    for column, value in zip(table.columns, rows[0] if rows else [], strict=False):
        column.justify = "left" if isinstance(value, str) else "right"
    for row in rows:
        table.add_row(*(_text(value, "NULL") for value in row))
    out = io.StringIO()
    console = Console(file=out, width=10_000, no_color=True, highlight=False)
    console.print(table, no_wrap=True)
    noun = "row" if len(rows) == 1 else "rows"
    return f"{out.getvalue().rstrip()}\n{len(rows)} {noun}"


def _text(value: Any, null: str) -> str:
    if value is None:
        return null
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _plain(value: Any) -> Any:
    """Return what JSON can hold: numbers that JSON would round are strings, so are times."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)
