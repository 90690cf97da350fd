"""One step in the life of a warehouse: what it does to the model, and how it is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kit.model import Model, Row, StagedWrites, batch_of
from sluiceway.warehouse import Warehouse, WriteRequest


@dataclass(frozen=True)
class Step:
    """One request: what it does to the model, and how it is made."""

    name: str
    expect: Callable[[Model], None]
    run: Callable[[Warehouse], Any]


def stage_step(
    name: str, sequence: int, times: int, request: WriteRequest, ops: list[int], rows: list[Row]
) -> Step:
    """Stage a batch, and send it again if `times` is more than one."""

    def expect(model: Model) -> None:
        fresh = StagedWrites(request.table, request, dict(model.tables[request.table].kinds))
        model.staged.setdefault(name, fresh).writes.append((ops, rows))

    def run(warehouse: Warehouse) -> Any:
        batch = batch_of(warehouse.catalog.table(request.database, request.table), ops, rows)
        for _ in range(times):
            warehouse.stage(name, 0, sequence, request, batch).result()

    return Step(f"stage {request.table}", expect, run)


def commit_step(
    names: Sequence[str],
    overwrite: bool,
    now_us: Callable[[], int],
    partition: Mapping[str, str] | None = None,
) -> Step:
    """Commit stages, and ask for it again."""

    def expect(model: Model) -> None:
        stages = [model.staged.pop(name) for name in names]
        for stage in stages if overwrite else ():
            if partition is None:
                model.tables[stage.table].overwrite(stage.writes)
            else:
                model.tables[stage.table].empty_partitions(set(partition.values()))
        for stage in stages:
            for ops, rows in stage.writes:
                model.tables[stage.table].write(
                    ops,
                    rows,
                    conflict=stage.request.conflict,
                    partial=stage.request.partial,
                    now_us=now_us(),
                )

    def run(warehouse: Warehouse) -> Any:
        stages = tuple((name, 0) for name in names)
        ack = warehouse.commit_staged(stages, overwrite=overwrite, partition=partition)
        again = warehouse.commit_staged(stages, overwrite=overwrite, partition=partition)
        assert again == ack

    return Step(f"commit {', '.join(names)}", expect, run)
