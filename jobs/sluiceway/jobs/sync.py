"""The statement that starts a whole-database sync."""

from sluiceway.jobs.lexer import literal, quote


def sync_statement(
    catalog: str,
    *,
    hostname: str,
    port: int,
    username: str,
    password: str,
    database: str,
    target_database: str | None = None,
    including_tables: str | None = None,
    excluding_tables: str | None = None,
    server_id: str | None = None,
    parallelism: int | None = None,
    replace: bool = False,
    savepoint: str | None = None,
    wait: bool = True,
) -> str:
    """Return `CALL catalog.sys.sync_database(…)`; arguments that are None are left out."""
    arguments = {
        "hostname": literal(hostname),
        "port": str(port),
        "username": literal(username),
        "password": literal(password),
        "database": literal(database),
        "target_database": literal(target_database or database),
        "including_tables": including_tables and literal(including_tables),
        "excluding_tables": excluding_tables and literal(excluding_tables),
        "server_id": server_id and literal(server_id),
        "parallelism": parallelism and str(parallelism),
        "replace": "TRUE" if replace else None,
        "savepoint": savepoint and literal(savepoint),
        "wait": literal("loaded") if wait else None,
    }
    body = ", ".join(f"{name} => {value}" for name, value in arguments.items() if value)
    return f"CALL {quote(catalog)}.sys.sync_database({body})"
