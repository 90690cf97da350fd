"""The life of a server process: open the warehouse, listen, announce, wait, close.

Invariants: the ready line is printed once, after the first call would be answered; SIGTERM and
SIGINT close the warehouse with a checkpoint and the process ends with 0; an error before that is
one line on stderr and the exit code of its class. A process that only reads leaves the folder as
it is.
"""

import faulthandler
import gc
import json
import os
import signal
import socket
import sys
import threading
from typing import NoReturn

from sluiceway.catalog import SluicewayError, UnavailableError
from sluiceway.warehouse import warm
from sluiceway.warehouse.options import ServerOptions
from sluiceway.warehouse.replica import Replica
from sluiceway.warehouse.server.flight import FlightServer
from sluiceway.warehouse.server.processes import ReadingProcesses, spare_readers
from sluiceway.warehouse.store import Warehouse

# Handlers spend their time in kernels, Arrow and gRPC without the interpreter lock; what needs it
# needs it for microseconds. CPython's 5 ms would make each of them wait for the longest.
SWITCH_INTERVAL_S = 50e-6


class Stop:
    """Waits for a signal that ends the process.

    The C handler writes to a pipe, in whichever thread the kernel chose for it: a handler in Python
    runs in the main thread alone, and nothing would wake that one from a lock.
    """

    def __init__(self) -> None:
        self._awaited, self._told = os.pipe()
        os.set_blocking(self._told, False)
        signal.set_wakeup_fd(self._told, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: None)

    def tell(self) -> None:
        """Do as if a signal had come."""
        os.write(self._told, b"\0")

    def wait(self) -> None:
        """Return once a signal has come."""
        os.read(self._awaited, 1)


def serve(options: ServerOptions) -> int:
    """Serve one warehouse, and beside it reading processes, until a signal comes.

    Where `readers` is None there are as many as the machine has cores to spare.
    """
    stop = _begin()
    try:
        warehouse = Warehouse.open(options.data, options=options)
    except SluicewayError as error:
        return refuse(error)
    readers = options.readers
    if readers is None:
        readers = spare_readers(len(os.sched_getaffinity(0)))
    reading = ReadingProcesses(options, readers)
    try:
        port = options.port or warehouse.last_port or 0
        server = _listen(warehouse, options.host, port, reading)
        warehouse.announce(server.endpoint)
    except SluicewayError as error:
        warehouse.close()
        return refuse(error)
    reading.start()
    _until(stop, server, warehouse)
    reading.close()
    return _end(server, warehouse)


def serve_reads(options: ServerOptions, *, with_parent: bool = False) -> int:
    """Serve the reads of a warehouse that another process writes, until a signal comes.

    With `with_parent` the end of stdin is such a signal: the parent is gone.
    """
    stop = _begin()
    if with_parent:
        threading.Thread(target=_stop_with_stdin, args=(stop,), daemon=True).start()
    try:
        replica = Replica.open(options.data)
    except SluicewayError as error:
        return refuse(error)
    try:
        server = _listen(replica, options.host, options.port)
    except SluicewayError as error:
        replica.close()
        return refuse(error)
    _until(stop, server, replica)
    return _end(server, replica)


def _begin() -> Stop:
    """Do what comes before all else; the kernels may take half a minute, once."""
    # A page that cannot be read or written ends the process (SIGBUS): stderr says where it was.
    faulthandler.enable()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    warm.ensure(lambda text: print(text, file=sys.stderr, flush=True))
    return Stop()


def _until(stop: Stop, server: FlightServer, warehouse: Warehouse | Replica) -> None:
    # What is here now stays: to look at it in each full collection stops all threads for 50 ms.
    gc.freeze()
    print(_ready_line(server, warehouse), flush=True)
    stop.wait()


def _end(server: FlightServer, warehouse: Warehouse | Replica) -> NoReturn:
    server.close()
    warehouse.close()
    sys.stdout.flush()
    # A handler may still wait for a client that gRPC cannot wake, and an interpreter that is torn
    # down under such threads crashes. The folder is closed: there is nothing left to tear down.
    os._exit(0)


def _stop_with_stdin(stop: Stop) -> None:
    try:
        sys.stdin.read()
    finally:
        stop.tell()


def _listen(
    warehouse: Warehouse | Replica,
    host: str,
    port: int,
    reading: ReadingProcesses | None = None,
) -> FlightServer:
    """Bind the port asked for, or a free one for 0."""
    _check_free(host, port)
    if reading is None:
        return FlightServer(warehouse, host, port)
    return FlightServer(warehouse, host, port, reading.endpoints, reading.background)


def _check_free(host: str, port: int) -> None:
    """Refuse an address that cannot be bound by its name: gRPC only says that it did not start."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UnavailableError(
                f"cannot listen on port {port} of {host}: {error.strerror}; stop the process that "
                "has it, or choose another with --port"
            ) from None


def _ready_line(server: FlightServer, warehouse: Warehouse | Replica) -> str:
    return json.dumps({"endpoint": server.endpoint, "uuid": str(warehouse.identity.uuid)})


def refuse(error: SluicewayError) -> int:
    """Say why a process cannot serve; return its exit code."""
    print(f"sluiceway: [{error.sqlstate}] {error}", file=sys.stderr, flush=True)
    return error.exit_code
