"""Writes the options for people (docs/options.md) and for the connector (options.json).

    python -m sluiceway.catalog.options_doc            write both files into the source tree
    python -m sluiceway.catalog.options_doc --check    exit 1 when they differ from the declaration

options.json is a list of objects, in the order of declaration:

    {"key", "aliases": [{"name", "values": {alias value: value} | null}], "type", "choices": [..],
     "min", "max", "default": text | null, "unit", "scope", "effect", "fixed_at", "doc"}

`type` is boolean, int, long, string, enum, duration (milliseconds, or with a unit) or list (of
column names). Keys, aliases, alias values and choices are compared without regard to case, choices
also without `_` and `-`. `effect` is acts, none (accepted, changes nothing) or default-only (any
other value is refused). `scope` is catalog, connection, source, sink, lookup or table_property.

Invariant: both files are functions of `options` alone; nobody edits them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sluiceway.catalog.option import Effect, Option, Scope
from sluiceway.catalog.options import ALL, SERVER

_MARKDOWN = Path("docs/options.md")
_JSON = Path("connector/java/api/src/main/resources/io/sluiceway/flink/api/options.json")

_HEAD = """# Options

Written by `python -m sluiceway.catalog.options_doc` from `catalog/sluiceway/catalog/options/`; do
not edit. Keys are the same in any case; older names stand below the key. All bad keys of a
statement are reported at once, each with the nearest known name. A hint (`/*+ OPTIONS(…) */`) goes
before the table, the table before CREATE CATALOG.
"""
_TITLES = {
    Scope.CATALOG: "CREATE CATALOG alone",
    Scope.CONNECTION: "Connection",
    Scope.SOURCE: "Source",
    Scope.SINK: "Sink",
    Scope.LOOKUP: "Look-up",
    Scope.PROPERTY: "Table properties (in CREATE CATALOG: for new tables)",
}
_SERVER = """
## Server

Each is given as `--log-file-bytes 64MiB` on the command line of `sluiceway serve` (or `python -m
sluiceway.warehouse.server`), as `SLUICEWAY_LOG_FILE_BYTES=64MiB` in the environment, or as
`log_file_bytes = "64 MiB"` in the TOML file that `--config` or `SLUICEWAY_CONFIG` names. The
command line counts before the environment, that before the file, and the file before the default.
All bad values are reported at once, each with where it stands. Reading processes get the same.

"""
_GROUPS = {
    Effect.ACTS: "",
    Effect.DEFAULT_ONLY: "Known, but only the default is supported; anything else is refused:",
    Effect.NONE: "Accepted so that existing SQL runs, without effect:",
}


def as_json() -> str:
    """Return the text of options.json."""
    return json.dumps([_entry(option) for option in ALL], indent=1, ensure_ascii=False) + "\n"


def _entry(option: Option) -> dict[str, Any]:
    aliases = [
        {"name": alias.name, "values": None if alias.values is None else dict(alias.values)}
        for alias in option.aliases
    ]
    return {
        "key": option.key,
        "aliases": aliases,
        "type": option.kind.name,
        "choices": list(option.kind.choices),
        "min": option.kind.low,
        "max": option.kind.high,
        "default": option.default,
        "unit": option.unit,
        "scope": option.scope.value,
        "effect": option.effect.value,
        "fixed_at": option.fixed_at,
        "doc": option.doc,
    }


def as_markdown() -> str:
    """Return the text of docs/options.md."""
    parts = [_HEAD]
    for scope, title in _TITLES.items():
        parts.append(f"\n## {title}\n")
        for effect, caption in _GROUPS.items():
            chosen = [each for each in ALL if each.scope is scope and each.effect is effect]
            if chosen:
                parts.append("\n" + (f"{caption}\n\n" if caption else "") + _table(chosen))
    return "".join(parts) + _SERVER + _table(SERVER)


def _table(options: Iterable[Option]) -> str:
    head = "| option | values | default | |\n|---|---|---|---|\n"
    return head + "".join(f"{_row(option)}\n" for option in options)


def _row(option: Option) -> str:
    names = "".join(f"<br>{_alias(alias.name, alias.values)}" for alias in option.aliases)
    values = ", ".join(option.kind.choices) or option.kind.name
    unit = f" ({option.unit})" if option.unit else ""
    default = "" if option.default is None else f"`{option.default}`"
    fixed = " Fixed at CREATE TABLE." if option.fixed_at else ""
    return f"| `{option.key}`{names} | {values}{unit} | {default} | {option.doc}{fixed} |"


def _alias(name: str, values: Any) -> str:
    if values is None:
        return f"`{name}`"
    pairs = ", ".join(f"{old} = {new}" for old, new in values.items())
    return f"`{name}` ({pairs})"


def files() -> dict[Path, str]:
    """Return what each generated file should hold, by its path in the source tree."""
    return {_MARKDOWN: as_markdown(), _JSON: as_json()}


def main(arguments: list[str]) -> int:
    """Write the files, or with --check only compare them."""
    root = Path(__file__).resolve().parents[3]
    stale = [path for path, text in files().items() if _content(root / path) != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path} differs from the declaration: run python -m {__spec__.name}")
        return 1 if stale else 0
    for path in stale:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(files()[path], encoding="utf-8")
    return 0


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
