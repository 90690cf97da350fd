"""Writes into a warehouse until it is killed: `python -m kit.killed DIR STEP`.

Prints each acknowledged step with its LSN.
"""

import sys
from pathlib import Path

from kit.model import batch_of
from kit.store import DATABASE, orders
from sluiceway.catalog import CreateDatabase, CreateTable
from sluiceway.warehouse import ServerOptions, Warehouse, WriteRequest

ROWS = 200


def rows_of_step(step: int) -> list[dict[str, object]]:
    """The rows of a step: keys that come again, values that name the step."""
    return [{"id": (step * 37 + i) % 1_000, "name": f"step {step}", "qty": i} for i in range(ROWS)]


def main() -> None:
    """Write for ever, with a checkpoint now and then."""
    warehouse = Warehouse.open(Path(sys.argv[1]), options=ServerOptions(log_file_bytes=200_000))
    if not warehouse.catalog.databases:
        warehouse.ddl([CreateDatabase(DATABASE), CreateTable(orders(shards=2))])
    table = warehouse.catalog.table(DATABASE, "orders")
    step = int(sys.argv[2])
    while True:
        batch = batch_of(table, [0] * ROWS, rows_of_step(step))
        ack = warehouse.write(WriteRequest(DATABASE, "orders"), batch)
        print(step, ack.lsn, flush=True)
        if step % 7 == 6:
            warehouse.checkpoint()
        step += 1


if __name__ == "__main__":
    main()
