"""A server as a process: ready line, port, signals, and what a kill leaves."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.server import ServerProcess, wait_for
from kit.tables import make_orders, orders
from sluiceway.catalog import UnavailableError, UserError
from sluiceway.jobs.processes import free_port
from sluiceway.warehouse.client import Client

pytestmark = pytest.mark.slow


def start_refused(data: Path, port: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sluiceway.warehouse.server", "--data", str(data)]
    return subprocess.run(
        [*command, "--port", str(port)], capture_output=True, text=True, timeout=60, check=False
    )


def test_acknowledged_rows_survive_a_kill(server_process: ServerProcess) -> None:
    with server_process.client() as client:
        table = make_orders(client)
        acks = client.write("dw", "orders", orders(0, 5_000, table))
        before = client.hello()
    server_process.kill()
    server_process.start()
    with server_process.client() as client:
        after = client.hello()
        assert after["uuid"] == before["uuid"]
        assert after["incarnation"] > before["incarnation"]
        assert after["published"] >= acks[-1].lsn
        found = client.read("dw", "orders").sort_by("order_id").combine_chunks()
        assert found.to_batches()[0] == orders(0, 5_000, table)


def test_a_stopped_server_comes_back_at_its_port(server_process: ServerProcess) -> None:
    port = server_process.port
    with server_process.client() as client:
        table = make_orders(client)
        client.write("dw", "orders", orders(0, 100, table))
        run = client.status()
    assert server_process.stop() == 0
    server_process.port = 0
    server_process.start()
    assert server_process.port == port
    with server_process.client() as client:
        assert client.read("dw", "orders").num_rows == 100
        assert client.status()["published"] >= run["published"]


def test_a_stop_waits_for_no_idle_client(server_process: ServerProcess) -> None:
    with server_process.client() as client:
        table = make_orders(client)
        batch = orders(0, 10, table)
        client.write("dw", "orders", batch)
        changes = client.changelog("dw", "orders", heartbeat_ms=60_000)
        lookups = client.lookups("dw", "orders", ["order_id"])
        assert lookups.find(batch.select(["order_id"])).num_rows == 10
        assert server_process.stop() == 0
        with pytest.raises(UnavailableError):
            list(changes)


def test_a_port_in_use_is_refused_by_name(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = start_refused(tmp_path / "data", port)
    assert refused.returncode == UnavailableError.exit_code
    assert f"cannot listen on port {port} of 127.0.0.1: Address already in use" in refused.stderr
    assert refused.stdout == ""


def test_a_folder_in_use_names_process_and_endpoint(server_process: ServerProcess) -> None:
    refused = start_refused(server_process.data)
    assert refused.returncode == UnavailableError.exit_code
    assert str(server_process.pid) in refused.stderr
    assert server_process.endpoint in refused.stderr


def test_a_client_of_no_server_names_the_endpoint() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with Client(f"127.0.0.1:{port}") as client:
        with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}"):
            client.hello()
        with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}"):
            client.read("dw", "t")
    with pytest.raises(UserError, match='"nonsense" is not "host:port"'):
        Client("nonsense")


def test_a_client_meets_the_restarted_server(server_process: ServerProcess) -> None:
    with server_process.client() as client:
        client.hello()
        server_process.kill()
        with pytest.raises(UnavailableError):
            client.hello()
        server_process.start()
        assert wait_for("the server again", lambda: answers(client))


def test_the_first_call_after_a_restart_is_answered(server_process: ServerProcess) -> None:
    with server_process.client() as client:
        table = make_orders(client)
        batch = orders(0, 10, table)
        client.write("dw", "orders", batch)
        lookups = client.lookups("dw", "orders", ["order_id"])
        calls: list[Callable[[], object]] = [
            lambda: client.sql("SELECT 1 AS n").to_pylist() == [{"n": 1}],
            lambda: client.table("dw", "orders") == table,
            lambda: client.lookup("dw", "orders", batch.select(["order_id"])).num_rows == 10,
            lambda: lookups.find(batch.select(["order_id"])).num_rows == 10,
        ]
        for call in calls:
            assert call()
        for call in calls:
            server_process.kill()
            server_process.start()
            assert call()


def test_a_stop_removes_the_run_folder(server_process: ServerProcess) -> None:
    with open(server_process.data / "LOCK") as lock:
        run = Path(json.load(lock)["run"])
    assert run.is_dir()
    assert server_process.stop() == 0
    assert not run.exists()


def test_an_interrupt_stops_as_cleanly(server_process: ServerProcess) -> None:
    os.kill(server_process.pid, signal.SIGINT)
    assert server_process.wait() == 0


def answers(client: Client) -> bool:
    try:
        client.hello()
    except UnavailableError:
        return False
    return True


def test_options_of_the_environment_and_a_file_hold_for_reading_processes_too(
    tmp_path: Path,
) -> None:
    port, run = free_port(), tmp_path / "run"
    config = tmp_path / "server.toml"
    config.write_text(f'port = {port}\nrun-dir = "{run}"\nhost = "not.this"\nreaders = 1\n')
    environment = {
        "SLUICEWAY_CONFIG": str(config),
        "SLUICEWAY_HOST": "127.0.0.2",
        "SLUICEWAY_SHARDS": "3",
        "SLUICEWAY_DATA": str(tmp_path / "data"),
    }
    command = [sys.executable, "-m", "sluiceway.jobs.cli", "serve"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | environment
    ) as process:
        try:
            assert process.stdout is not None
            endpoint = json.loads(process.stdout.readline())["endpoint"]
            assert endpoint == f"grpc://127.0.0.2:{port}"
            assert (tmp_path / "data" / "LOCK").exists() and list(run.iterdir())
            with Client(endpoint) as client:
                assert make_orders(client, shards=0).shards == 3
                [reading] = wait_for("a reading process", lambda: client.hello()["reading"] or None)
                names = {task["name"]: task["state"] for task in client.status()["background"]}
            assert reading.startswith("grpc://127.0.0.2:") and reading != endpoint
            assert names["reading-0"] == names["committer"] == "running"
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
