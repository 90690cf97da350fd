"""PyFlink's JVM, started by us and not by PyFlink.

PyFlink would start it without a heap limit, drop the handle, and leave its stderr in a pipe that
nobody reads (a JVM that complains long enough then stands still). PyFlink connects to a gateway
that is there already if the environment names its port.

Our own jars are on its class path; a session whose jobs go to a cluster that has them not names
them in `pipeline.jars` as well.

Invariants: one JVM a process; it ends with the process, since it ends when its stdin does.
"""

import atexit
import getpass
import os
import socket
import subprocess
import tempfile
from pathlib import Path

from sluiceway.catalog import UnavailableError
from sluiceway.jobs import places
from sluiceway.jobs.cluster import flink_home, java, open_flags
from sluiceway.jobs.waiting import wait_for

_MAIN = "org.apache.flink.client.python.PythonGatewayServer"
_PORT = "PYFLINK_GATEWAY_PORT"
_HEAP = "-Xmx1g"
_START_S = 60.0
_process: subprocess.Popen[bytes] | None = None


def start_gateway(*, logs: Path | None = None, conf: Path | None = None) -> None:
    """Start the JVM unless it runs already, and let PyFlink connect to it."""
    global _process
    if _process is not None:
        return
    logs = logs or Path(tempfile.gettempdir()) / f"sluiceway-{getpass.getuser()}"
    logs.mkdir(parents=True, exist_ok=True)
    conf = conf or flink_home() / "conf"
    from pyflink.java_gateway import get_gateway  # before the JVM, which waits 10 s for us

    atexit.register(stop_gateway)
    try:
        with tempfile.TemporaryDirectory(prefix="sluiceway-") as folder:
            address = Path(folder) / "port"
            _process = _start(logs, conf, address)
            port = wait_for("PyFlink's JVM", lambda: _port(address), deadline_s=_START_S)
        os.environ[_PORT] = str(port)
        get_gateway()
    except BaseException:
        stop_gateway()
        raise
    finally:
        os.environ.pop(_PORT, None)  # it is not for our children


def stop_gateway() -> None:
    """Disconnect from the JVM and end it, by the end of its stdin."""
    global _process
    if _process is None:
        return
    from pyflink import java_gateway

    if java_gateway._gateway is not None:  # else Java objects that Python frees later complain
        java_gateway._gateway.shutdown()
        java_gateway._gateway = None
    assert _process.stdin is not None
    _process.stdin.close()
    try:
        _process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        _process.kill()
        _process.wait()
    _process = None


def _start(logs: Path, conf: Path, address: Path) -> "subprocess.Popen[bytes]":
    env = {"_PYFLINK_CONN_INFO_PATH": str(address), "FLINK_CONF_DIR": str(conf)}
    for part in ("lib", "opt", "plugins", "bin"):
        env[f"FLINK_{part.upper()}_DIR"] = str(flink_home() / part)
    with (logs / "client.out").open("ab") as log:
        return subprocess.Popen(
            _command(logs, conf),
            stdin=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **env},
            start_new_session=True,  # Ctrl-C is for us; the JVM ends with its stdin
        )


def _command(logs: Path, conf: Path) -> list[str]:
    home = flink_home()
    jars = [*sorted((home / "lib").glob("*.jar")), *(home / "opt").glob("flink-python*")]
    jars += places.jars()
    log4j = conf / "log4j-cli.properties"
    return [
        java(),
        *os.environ.get("JVM_ARGS", _HEAP).split(),
        "-XX:+IgnoreUnrecognizedVMOptions",
        "--add-opens=jdk.proxy2/jdk.proxy2=ALL-UNNAMED",
        *open_flags(),
        f"-Dlog.file={logs / f'client-{socket.gethostname()}.log'}",
        f"-Dlog4j.configurationFile={log4j}",
        "-cp",
        os.pathsep.join(map(str, jars)),
        _MAIN,
    ]


def _port(address: Path) -> int | None:
    """Return the port that the JVM wrote, once it has."""
    assert _process is not None
    code = _process.poll()
    if code is not None:
        raise UnavailableError(f"PyFlink's JVM ended with code {code}: see client.out in its logs")
    content = address.read_bytes() if address.exists() else b""
    return int.from_bytes(content[:4], "big") if len(content) >= 4 else None
