"""The life of a server process: open the warehouse, listen, announce, wait, close.

Invariants: the ready line is printed once, after the first call would be answered; SIGTERM and
SIGINT close the warehouse with a checkpoint and the process ends with 0; an error before that is
one line on stderr and the exit code of its class.
"""

import json
import os
import signal
import socket
import sys
import threading
from types import FrameType

from sluiceway.catalog import SluicewayError, UnavailableError
from sluiceway.warehouse.options import ServerOptions
from sluiceway.warehouse.server.flight import FlightServer
from sluiceway.warehouse.store import Warehouse

# Handlers spend their time in kernels, Arrow and gRPC without the interpreter lock; what needs it
# needs it for microseconds. CPython's 5 ms would make each of them wait for the longest.
SWITCH_INTERVAL_S = 50e-6


def serve(options: ServerOptions) -> int:
    """Serve one warehouse until a signal comes; return the exit code of the process."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    stop = _stop_on_signals()
    try:
        warehouse = Warehouse.open(options.data, options=options)
    except SluicewayError as error:
        return _refuse(error)
    try:
        server = _listen(warehouse, options)
    except SluicewayError as error:
        warehouse.close()
        return _refuse(error)
    print(_ready_line(server, warehouse), flush=True)
    stop.wait()
    server.close()
    warehouse.close()
    sys.stdout.flush()
    # A handler may still wait for a client that gRPC cannot wake, and an interpreter that is torn
    # down under such threads crashes. The folder is closed: there is nothing left to tear down.
    os._exit(0)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stop


def _listen(warehouse: Warehouse, options: ServerOptions) -> FlightServer:
    """Bind the port asked for, else the one that this warehouse had last time, else a free one."""
    port = options.port or warehouse.last_port or 0
    _check_free(options.host, port)
    server = FlightServer(warehouse, options.host, port)
    warehouse.announce(server.endpoint)
    return server


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


def _ready_line(server: FlightServer, warehouse: Warehouse) -> str:
    return json.dumps({"endpoint": server.endpoint, "uuid": str(warehouse.identity.uuid)})


def _refuse(error: SluicewayError) -> int:
    print(f"sluiceway: [{error.sqlstate}] {error}", file=sys.stderr, flush=True)
    return error.exit_code
