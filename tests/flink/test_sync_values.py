"""Generated tables of all types, read by load and by binlog, against the server's own answer."""

import os
import random
from typing import Any

import pytest

from kit.mysqlvalues import added, canonical, table
from kit.sync import Sync

pytestmark = [pytest.mark.flink, pytest.mark.mysql, pytest.mark.slow]
SEED = int(os.environ.get("SLUICEWAY_SYNC_SEED", "1"))
TABLES = int(os.environ.get("SLUICEWAY_SYNC_TABLES", "40"))
ROWS = 8


def answers(sync: Sync, name: str) -> tuple[list[Any], list[Any]]:
    """Return what server and warehouse say of a table, each row by column."""
    columns = [c.name for c in sync.sql.client.table(sync.database, name).columns]
    picked = ", ".join(columns)
    server = sync.mysql.query(f"SELECT {picked} FROM {name} ORDER BY id", sync.database)
    ours = sync.rows(f"SELECT {picked} FROM {name} ORDER BY id")
    as_rows = [
        [dict(zip(columns, map(canonical, row), strict=True)) for row in rows]
        for rows in (server, ours)
    ]
    return as_rows[0], as_rows[1]


def test_load_binlog_and_server_agree_on_every_value(sync: Sync) -> None:
    print(f"seed {SEED}: SLUICEWAY_SYNC_SEED, {TABLES} tables: SLUICEWAY_SYNC_TABLES")
    rng = random.Random(SEED)
    names = [f"t{number}" for number in range(TABLES)]
    made = [table(name, rng, columns=8, rows=ROWS) for name in names]
    sync.mysql.transaction(
        ["SET sql_mode=''", *(create for create, _ in made), *(rows for _, rows in made)],
        sync.database,
    )
    sync.start(wait="loaded")

    changes = ["SET sql_mode=''"]
    for number, name in enumerate(names):
        clauses = ", ".join(added(rng, n) for n in range(rng.randint(1, 2)))
        again = f"CREATE TEMPORARY TABLE x SELECT * FROM {name}; "
        changes += again.strip("; ").split("; ")
        changes += ["UPDATE x SET id = id + 100", f"INSERT INTO {name} SELECT * FROM x"]
        changes += ["DROP TEMPORARY TABLE x"]
        if number % 2 == 0:
            changes += [f"ALTER TABLE {name} {clauses}"]
            changes += [f"UPDATE {name} SET id = id + 200 WHERE id < 2"]
    sync.mysql.transaction(
        [
            *changes,
            "CREATE TABLE last_of_all (id INT PRIMARY KEY)",
            "INSERT INTO last_of_all VALUES (1)",
        ],
        sync.database,
    )
    sync.wait_rows("SELECT id FROM last_of_all", [(1,)])

    wrong = []
    for (create, _), name in zip(made, names, strict=True):
        server, ours = answers(sync, name)
        assert len(server) == len(ours), create
        for wanted, got in zip(server, ours, strict=True):
            wrong += [
                (name, wanted["id"], column, value, got[column])
                for column, value in wanted.items()
                if got[column] != value
            ]
    assert not wrong, (
        f"seed {SEED}",
        wrong[:10],
        [create for create, _ in made if create.split()[2] == wrong[0][0]],
    )
