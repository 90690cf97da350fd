"""Every refusal that a writer can meet: its SQLSTATE, and whether to try again helps.

A Flink job fails at once on classes 22, 23 and 42, so none of them may say `retry`, and what passes
by itself may not be one of them.
"""

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from kit.server import Served
from kit.tables import create_table, make, with_ops
from sluiceway import catalog
from sluiceway.catalog import SluicewayError, change_from_json, error_from_text
from sluiceway.warehouse.replica import Replica
from sluiceway.warehouse.server import FlightServer

ROOT = Path(__file__).resolve().parents[2]
RETRIED = {"40001", "57P03"}
COLUMNS = {"k": "BIGINT", "code": "VARCHAR(3)", "n": "SMALLINT", "must": "INT", "d": "DATE"}
Rows: TypeAlias = pa.RecordBatch


def batch(ops: list[int] | None = None, **columns: Any) -> Rows:
    plain = pa.record_batch({"k": pa.array([1]), "must": pa.array([1], pa.int32())} | columns)
    return plain if ops is None else with_ops(ops, plain)


def put(endpoint: str, head: dict[str, Any], *batches: Rows | Callable[[], None]) -> dict[str, Any]:
    """Write batch after batch, or call what stands between; return the error as it came."""
    command = fl.FlightDescriptor.for_command(json.dumps(head).encode())
    schema = next(each.schema for each in batches if isinstance(each, pa.RecordBatch))
    try:
        with fl.connect(endpoint) as raw:
            stream, answers = raw.do_put(command, schema)
            with stream:
                for each in batches:
                    if not isinstance(each, pa.RecordBatch):
                        each()
                        continue
                    stream.write_batch(each)
                    said = json.loads(answers.read().to_pybytes())
                    if "error" in said:
                        return dict(said["error"])
    except fl.FlightError as error:
        return dict(json.loads(error.extra_info))
    except AttributeError:  # no answer: closing the stream raised nothing
        raise AssertionError("the stream ended without a word") from None
    raise AssertionError("nothing was refused")


def write(**more: Any) -> dict[str, Any]:
    return {"write": {"database": "dw", "table": "t"} | more}


ONE = batch([0])
# What is written, and the state that it is refused with.
VALUES: dict[str, tuple[str, dict[str, Any], Rows]] = {
    "NULL in NOT NULL": ("23502", write(), batch([0], must=pa.array([None], pa.int32()))),
    "NULL as key": ("23502", write(), batch([0], k=pa.array([None], pa.int64()))),
    "no key": ("23502", write(), ONE.select([0, 2])),
    "no column that must be": ("23502", write(), ONE.select([0, 1])),
    "too long": ("22001", write(), batch([0], code=["abcd"])),
    "too large": ("22003", write(), batch([0], n=pa.array([70_000]))),
    "another type": ("42804", write(), batch([0], n=["a"])),
    "no such column": ("42703", write(), batch([0], nope=[1])),
    "no kinds": ("42703", write(), batch()),
    "kinds out of range": ("22023", write(), batch([9])),
    "a column twice": (
        "42701",
        write(),
        Rows.from_arrays([*ONE.columns, pa.array([1])], names=["_op", "k", "must", "k"]),
    ),
    "no such table": ("42P01", write(table="none"), ONE),
    "no such database": ("3D000", write(database="none"), ONE),
    "another table behind the name": ("40001", write(table_id=4_711), ONE),
    "a bad head": ("22023", write(conflict="perhaps"), ONE),
    "an unknown key of the head": ("22023", write(nope=1), ONE),
    "an update without a key": ("0A000", write(table="keyless"), batch([3]).select([0, 1])),
    "a row of another partition": (
        "23514",
        write(table="parts", overwrite=True, partition={"ds": "a"}),
        with_ops([0], pa.record_batch({"ds": ["b"], "k": [1]})),
    ),
    "no partition for NULL": (
        "23502",
        write(table="parts"),
        with_ops([0], pa.record_batch({"ds": pa.array([None], pa.string()), "k": [1]})),
    ),
    "a partition of a table without": (
        "42809",
        write(overwrite=True, partition={"ds": "a"}),
        ONE,
    ),
    "a gap in a stage": (
        "22023",
        {"stage": {"database": "dw", "table": "t", "name": "s", "epoch": 0, "sequence": 5}},
        ONE,
    ),
}
ALTER = {"database": "dw", "table": "t"}
# What happens between two batches, and the state that the second one is refused with.
CHANGES: dict[str, tuple[str, dict[str, Any], Rows]] = {
    "dropped column": ("42703", {"kind": "drop_column", "column": "n", "if_exists": False}, ONE),
    "renamed column": ("42703", {"kind": "rename_column", "column": "n", "to": "m"}, ONE),
    "NOT NULL": ("23502", {"kind": "set_nullable", "column": "code", "nullable": False}, ONE),
    "dropped table": ("42P01", {"kind": "drop_table", "if_exists": False}, ONE),
    "renamed table": ("42P01", {"kind": "rename_table", "to": "u", "if_exists": False}, ONE),
}


@pytest.fixture
def tables(served: Served) -> Served:
    """A table of each kind, empty."""
    make(served.client, "t", COLUMNS, ["k"], not_null=["must"])
    served.client.ddl(create_table("keyless", {"k": "BIGINT"}))
    parts = create_table("parts", {"ds": "STRING", "k": "BIGINT"}, ["ds", "k"])
    document = catalog.change_to_json(parts)
    document["table"]["partition_by"] = ["ds"]
    served.client.ddl(change_from_json(document))
    return served


def check(said: dict[str, Any], sqlstate: str) -> None:
    assert said["sqlstate"] == sqlstate, said
    assert said["retry"] == (sqlstate in RETRIED)
    assert "\n" not in said["message"]
    back = error_from_text(f"[{sqlstate}] {said['message']}")
    assert back is not None and back.retry == said["retry"]


@pytest.mark.parametrize("what", VALUES)
def test_a_refused_batch_says_why_and_whether_to_try_again(tables: Served, what: str) -> None:
    sqlstate, head, rows = VALUES[what]
    check(put(tables.server.endpoint, head, rows), sqlstate)
    assert tables.client.read("dw", "t").num_rows == 0


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_between_two_batches_says_so(tables: Served, what: str) -> None:
    sqlstate, change, _ = CHANGES[what]
    whole = batch([0], code=pa.array([None], pa.string()), n=pa.array([1], pa.int16()))

    def alter() -> None:
        tables.client.ddl(change_from_json(change | ALTER))

    def empty() -> None:
        tables.client.truncate("dw", "t")

    steps = [whole, empty, alter, whole] if what == "NOT NULL" else [whole, alter, whole]
    check(put(tables.server.endpoint, write(), *steps), sqlstate)


def test_a_reading_process_and_a_closed_store_say_so(tables: Served, tmp_path: Path) -> None:
    tables.warehouse.announce(tables.server.endpoint)
    replica = Replica.open(tmp_path / "data")
    server = FlightServer(replica)
    check(put(server.endpoint, write(), ONE), "25006")
    server.close()
    replica.close()
    tables.warehouse.close()
    check(put(tables.server.endpoint, write(), ONE), "57P03")


def raised() -> Iterator[tuple[str, int, type[SluicewayError], str]]:
    """Yield where an error of ours is made, its class and its SQLSTATE, over the whole source."""
    for path in sorted([*ROOT.glob("warehouse/**/*.py"), *ROOT.glob("catalog/**/*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                kind = getattr(catalog, node.func.id, None)
                if isinstance(kind, type) and issubclass(kind, SluicewayError):
                    states = [word.value for word in node.keywords if word.arg == "sqlstate"]
                    found = states[0] if states else ast.Constant(kind.sqlstate)
                    if isinstance(found, ast.Constant):
                        yield path.name, node.lineno, kind, str(found.value)


def test_states_and_classes_of_all_errors_agree() -> None:
    wrong = []
    for where, line, kind, sqlstate in raised():
        back = SluicewayError.from_json({"sqlstate": sqlstate, "message": "m"})
        if kind.retry != (sqlstate in RETRIED) or back.retry != kind.retry:
            wrong.append(f"{where}:{line} {kind.__name__} {sqlstate}: retry")
        if type(back) is not kind:
            wrong.append(f"{where}:{line} {kind.__name__} {sqlstate} comes back as {type(back)}")
    assert wrong == []
    assert len({sqlstate for *_, sqlstate in raised()}) > 30
