"""CREATE DATABASE … AS DATABASE …: the whole-database sync of Hologres' SQL as one CALL.

    CREATE DATABASE IF NOT EXISTS dw.d AS DATABASE m.s INCLUDING ALL TABLES
      /*+ OPTIONS('server-id'='8001-8004') */
    CALL `dw`.sys.sync_database(hostname => …, port => …, …, database => 's',
      target_database => 'd', wait => 'loaded', server_id => '8001-8004')

Options of the hint become arguments; they win over what the catalog of the source says.
"""

import re

from sluiceway.catalog import UserError
from sluiceway.jobs.lexer import (
    Token,
    code,
    dotted,
    find,
    literal,
    option_pairs,
    quote,
    unquoted_string,
)

_PLAIN = {
    "parallelism": re.compile("[0-9]{1,4}"),
    "port": re.compile("[0-9]{1,5}"),
    "replace": re.compile("true|false", re.IGNORECASE),
}


def sync_call(sql: str, sources: dict[str, dict[str, str]]) -> str:
    """Turn CREATE DATABASE … AS DATABASE … INCLUDING … into the CALL that starts the sync."""
    parts = code(sql)
    as_at, including_at = find(parts, "AS", "DATABASE"), find(parts, "INCLUDING")
    if including_at < 0:
        raise UserError(
            "say which tables to sync: … INCLUDING ALL TABLES, or INCLUDING TABLE 'a', 'b'",
            sqlstate="42601",
        )
    target = dotted([t for t in parts[2:as_at] if not t.is_word("IF", "NOT", "EXISTS")])
    source = dotted(parts[as_at + 2 : including_at])
    if len(target) != 2 or len(source) != 2:
        raise UserError(
            "name both databases with their catalogs: CREATE DATABASE dw.d AS DATABASE m.d …",
            sqlstate="42601",
        )
    if source[0] not in sources:
        known = ", ".join(sources) or "none"
        raise UserError(
            f"{source[0]!r} is not a MySQL catalog of this session (known: {known}): "
            f"first CREATE CATALOG {source[0]} WITH ('type'='mysql', …)",
            sqlstate="42704",
        )
    arguments = _sync_arguments(sources[source[0]], source[1], target[1])
    chosen = parts[including_at:]
    excluding_at = find(chosen, "EXCLUDING")
    including = chosen if excluding_at < 0 else chosen[:excluding_at]
    if tables := _texts(including):
        arguments["including_tables"] = literal(",".join(tables))
    if excluding_at >= 0:
        arguments["excluding_tables"] = literal(",".join(_texts(chosen[excluding_at:])))
    arguments |= _hints(chosen)
    body = ", ".join(f"{name} => {value}" for name, value in arguments.items())
    return f"CALL {quote(target[0])}.sys.sync_database({body})"


def _texts(parts: list[Token]) -> list[str]:
    return [unquoted_string(token) for token in parts if token.kind == "string"]


def _sync_arguments(options: dict[str, str], source: str, target: str) -> dict[str, str]:
    missing = [key for key in ("hostname", "username", "password") if key not in options]
    if missing:
        raise UserError(f"the MySQL catalog lacks the options {', '.join(missing)}")
    port = options.get("port", "3306")
    if not port.isdecimal():
        raise UserError(f"port {port!r} of the MySQL catalog is not a number")
    return {
        "hostname": literal(options["hostname"]),
        "port": port,
        "username": literal(options["username"]),
        "password": literal(options["password"]),
        "database": literal(source),
        "target_database": literal(target),
        "wait": literal("loaded"),
    }


def _hints(parts: list[Token]) -> dict[str, str]:
    """Return the OPTIONS of a hint as arguments: 'server-id'='8001' becomes server_id => '8001'.

    Those of the procedure's arguments that are not texts lose their quotes.
    """
    arguments: dict[str, str] = {}
    for token in parts:
        if token.kind == "hint":
            options = option_pairs(code(token.text[3:-2]), 0)
            for key, value in options.items():
                name = key.replace("-", "_")
                arguments[name] = _plain(name, value) if name in _PLAIN else literal(value)
    return arguments


def _plain(name: str, value: str) -> str:
    """Return a number or TRUE or FALSE as SQL writes it, or an error that names the option."""
    if not _PLAIN[name].fullmatch(value):
        raise UserError(f"'{name}'='{value}' is not a value of this option", sqlstate="22023")
    return value
