"""Names: what may be one, how it is split, and which known name was probably meant.

Invariants: names are case-sensitive and kept as written. A table outside schema `public` is one
name `schema.table`; `public.t` and `t` are the same table, always held as `t`. A database name has
no dot and no `@`, so that `database.schema.table` and `database@warehouse` split in one way only.
No name ends in a blank: the engine calls its own columns so, and none of a user's can be meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple

from sluiceway.catalog.errors import UserError

DEFAULT_SCHEMA = "public"
MAX_NAME_BYTES = 127


class DatabaseRef(NamedTuple):
    """A database, and the compute group that the user asked for with `database@warehouse`."""

    database: str
    warehouse: str | None


def check_name(name: str, what: str) -> str:
    """Return `name` if it can name a `what`, else raise UserError 42602."""
    if not name or name != name.strip():
        raise _bad(name, what, "names are not empty and have no blanks at their ends")
    if not name.isprintable():
        raise _bad(name, what, "names have no control characters")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        raise _bad(name, what, f"names have at most {MAX_NAME_BYTES} bytes")
    return name


def check_database(name: str) -> str:
    """Return `name` if it can name a database."""
    check_name(name, "database")
    for sign in ".@/":
        if sign in name:
            raise _bad(name, "database", f"leave out {sign!r}")
    return name


def check_table(name: str) -> str:
    """Return the canonical form of a table's name, without a leading `public.`."""
    schema, table = split_table(name)
    check_name(table, "table")
    check_name(schema, "schema")
    if len(name) > MAX_NAME_BYTES:
        raise _bad(name, "table", f"names have at most {MAX_NAME_BYTES} bytes")
    return canonical_table(name)


def check_column(name: str) -> str:
    """Return `name` if it can name a column."""
    return check_name(name, "column")


def split_table(name: str) -> tuple[str, str]:
    """Split `schema.table` or `table` into (schema, table)."""
    parts = name.split(".")
    if len(parts) > 2:
        raise _bad(name, "table", "a table is written table or schema.table")
    return (DEFAULT_SCHEMA, parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def canonical_table(name: str) -> str:
    """Return `t` for `public.t`, else the name itself."""
    return name.removeprefix(DEFAULT_SCHEMA + ".")


def split_database(name: str) -> DatabaseRef:
    """Split `database@warehouse`; the suffix is optional."""
    database, at, warehouse = name.partition("@")
    if at and not warehouse:
        raise _bad(name, "database", "after @ stands the name of a warehouse")
    return DatabaseRef(check_database(database), warehouse or None)


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return up to `count` known names that look like `name`, best first."""
    by_fold: dict[str, str] = {}
    for each in known:
        by_fold.setdefault(each.casefold(), each)
    found = difflib.get_close_matches(name.casefold(), list(by_fold), n=count, cutoff=0.6)
    return [by_fold[fold] for fold in found]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean "a" or "b"?`, or nothing when no known name is near."""
    found = nearest(name, known)
    quoted = [f'"{each}"' for each in found]
    return f" Did you mean {' or '.join(quoted)}?" if quoted else ""


def known_names(names: Iterable[str], limit: int = 12) -> str:
    """Return the names that exist, for the end of an error's text."""
    listed = sorted(names)
    more = f", and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more if listed else "none"


def _bad(name: str, what: str, cure: str) -> UserError:
    return UserError(f"{name!r} cannot name a {what}: {cure}.", sqlstate="42602")
