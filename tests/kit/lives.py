"""A warehouse on a lying disk, lived through until the disk stops it, and compared on the way."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kit.disk import Crash, HandClock, LyingDisk
from kit.model import Model, all_rows, check_changelog, looked_up, scanned
from kit.steps import Step
from kit.workload import DATABASE, Workload
from sluiceway.catalog import DiskFullError, GoneError, UnavailableError, UserError
from sluiceway.warehouse import ServerOptions, Snapshot, Warehouse
from sluiceway.warehouse.reads import Reads

ROOT = Path("/warehouse")
PAST = 4


@dataclass
class Life:
    """What is known to be durable, what may be, and how far it went: starts, steps, the last.

    `models` holds what was shown at each LSN that was published between two steps.
    """

    model: Model = field(default_factory=Model)
    pending: Model | None = None
    acked_lsn: int = 0
    models: dict[int, Model] = field(default_factory=dict)
    clock: HandClock = field(default_factory=HandClock)
    starts: int = 0
    steps: int = 0
    step: str = "open"


def options(run: Path) -> ServerOptions:
    """Small files, so that a short life sees many of them."""
    return ServerOptions(
        data=ROOT,
        run_dir=run,
        checkpoint_log_bytes=0,
        log_file_bytes=4_000,
        packed_shard_bytes=700,
        tail_cache_bytes=4_000,
        history_s=0,
    )


def opened(disk: LyingDisk, run: Path, life: Life) -> Warehouse:
    """Open what the disk holds."""
    life.starts, life.step = life.starts + 1, "open"
    return Warehouse.open(ROOT, options=options(run), disk=disk, clock=life.clock)


def live(disk: LyingDisk, run: Path, life: Life, workload: Workload, steps: int) -> None:
    """Run steps until the disk stops the process, or all were done."""
    try:
        warehouse = opened(disk, run, life)
    except (Crash, UnavailableError, DiskFullError):
        return
    try:
        check(warehouse, life)
        for _ in range(steps):
            life.clock.us += workload.pause_us()
            workload.now_us = max(workload.now_us, life.clock.us)
            take(workload.step(life.model), warehouse, life)
    except (Crash, UnavailableError):
        assert disk.dead
    finally:
        with suppress(Crash):
            warehouse.close()


def take(step: Step, warehouse: Warehouse, life: Life) -> None:
    """Run one step; the model moves on if it was acknowledged."""
    life.steps, life.step = life.steps + 1, step.name
    life.pending = life.model.copy()
    step.expect(life.pending)
    try:
        step.run(warehouse)
    except DiskFullError as error:
        assert "nothing was changed" in str(error) or step.name == "checkpoint", error
        life.pending = life.model
    except UnavailableError as error:
        if step.name != "checkpoint" or "the log still has everything" not in str(error):
            raise
    except UserError as error:
        assert error.sqlstate == "23502", error
        life.pending = life.model
    life.model, life.pending = life.pending, None
    assert warehouse.published >= life.acked_lsn
    life.acked_lsn = warehouse.published
    life.models[life.acked_lsn] = life.model


def columns_of(warehouse: Reads) -> dict[str, set[str]]:
    """The column names of every table: an empty table has nothing else to tell."""
    tables = warehouse.catalog.tables.values()
    return {table.name: set(table.column_names) for table in tables}


def staged(warehouse: Warehouse) -> dict[str, tuple[int, bool]]:
    """How many batches each open stage has, and whether its table was dropped."""
    state = warehouse._opened.committer.state
    return {
        stage.name: (len(stage.batches), stage.table_id not in state.catalog.tables)
        for stage in state.stages.values()
        if stage.end is None
    }


def check(warehouse: Warehouse, life: Life) -> None:
    """What is shown is what was acknowledged, perhaps with the step that was cut."""
    assert warehouse.published >= life.acked_lsn
    shown = all_rows(warehouse, DATABASE) if warehouse.catalog.databases else {}
    if life.pending is not None:
        before = (
            shown == life.model.rows()
            and columns_of(warehouse) == life.model.columns()
            and staged(warehouse) == life.model.batches()
        )
        life.model = life.model if before else life.pending
    life.pending = None
    assert columns_of(warehouse) == life.model.columns()
    assert shown == life.model.rows()
    assert staged(warehouse) == life.model.batches()
    for table in warehouse.catalog.tables.values():
        check_changelog(warehouse, table, shown[table.name])
        if table.primary_key:
            expected = life.model.tables[table.name].keyed
            assert looked_up(warehouse, table, list(expected)) == expected
    life.acked_lsn = warehouse.published
    life.models[life.acked_lsn] = life.model
    check_holds(warehouse, life)
    check_past(warehouse, life)


def check_holds(warehouse: Warehouse, life: Life) -> None:
    """Who holds an LSN sees all tables as they were then, those too that were dropped since."""
    for hold in warehouse.stats().holds:
        if hold.expires_us <= life.clock.us or hold.lsn not in life.models:
            continue
        check_tables(warehouse.snapshot(hold=hold.name), life)


def check_past(warehouse: Warehouse, life: Life) -> None:
    """The newest LSNs show what they showed, if they are kept: what was dropped since, too."""
    for lsn in sorted(life.models)[-PAST:]:
        with suppress(GoneError):
            check_tables(warehouse.snapshot(lsn), life)


def check_tables(snapshot: Snapshot, life: Life) -> None:
    """A snapshot shows all tables as they were."""
    for table in snapshot.catalog.tables.values():
        expected = life.models[snapshot.lsn].tables[table.name].rows()
        assert scanned(snapshot, table) == expected
