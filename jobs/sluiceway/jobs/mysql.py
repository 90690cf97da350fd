"""A private MySQL server: own data folder, own port, row binlog, ended with its owner.

Invariants:
* The server listens on 127.0.0.1 only; its time zone is UTC; binlog rows are FULL.
* The account `flink` has what a change-data-capture reader needs, and no more.
* Nothing of a server installed on the machine is read: no configuration file but our own.
"""

import getpass
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pymysql

from sluiceway.catalog import UnavailableError
from sluiceway.jobs.mysqlbin import ServerBinaries, server_binaries
from sluiceway.jobs.processes import Child, free_port
from sluiceway.jobs.statements import Statement, split
from sluiceway.jobs.waiting import wait_until

HOST = "127.0.0.1"
USER = "flink"
PASSWORD = "flink"
_GRANTS = "SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT"
_START_S = 60.0

_CONFIG = """\
[mysqld]
user={user}
datadir={data}
socket={socket}
pid-file={folder}/mysql.pid
port={port}
bind-address=127.0.0.1
skip-name-resolve
server-id=1
log-bin=binlog
binlog-format={binlog_format}
binlog-row-image=FULL
binlog-row-metadata=FULL
sync-binlog=0
innodb-flush-log-at-trx-commit=2
innodb-buffer-pool-size=256M
character-set-server=utf8mb4
default-time-zone=+00:00
"""


class MySQL:
    """One server in a folder; `start` makes its data folder the first time."""

    def __init__(self, folder: Path, *, apt: bool = False, binlog_format: str = "ROW") -> None:
        self.folder = folder.absolute()
        self.port = free_port()
        self.apt = apt
        self.binlog_format = binlog_format
        self._child: Child | None = None
        # A socket's path may have 107 bytes: data folders are often deeper than that.
        self._socket_folder = Path(tempfile.mkdtemp(prefix="sluiceway-"))

    @property
    def socket(self) -> Path:
        """Return the Unix socket that the administrator connects to."""
        return self._socket_folder / "mysql.sock"

    def start(self, *, deadline_s: float = _START_S) -> Self:
        """Start the server and wait until it answers."""
        try:
            binaries = server_binaries(apt=self.apt)
            self._write_config()
            data = self.folder / "data"
            first_time = not data.is_dir()
            if first_time:
                self._initialise(binaries)
            options = [f"--defaults-file={self._config}"]
            options += [f"--lc-messages-dir={binaries.base}/share"] if binaries.base else []
            command = [str(binaries.daemon), *options]
            self._child = Child("MySQL", command, log=self.folder / "mysql.log")
            wait_until("MySQL answering", self._answers, deadline_s=deadline_s)
            if first_time:
                self._create_account()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server; its data stay in the folder."""
        if self._child is not None:
            self._child.stop(grace_s=20.0)
            self._child = None
        shutil.rmtree(self._socket_folder, ignore_errors=True)

    def run(self, script: str, database: str | None = None) -> None:
        """Run the statements of a script as the administrator, each in its own commit."""
        with self._connect(database) as connection, connection.cursor() as cursor:
            for unit in split(script):
                assert isinstance(unit, Statement), "statement sets are Flink's"
                cursor.execute(unit.text)

    def query(self, sql: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def transaction(self, statements: Sequence[str], database: str) -> None:
        """Run statements in one commit."""
        with self._connect(database, autocommit=False) as connection:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
            connection.commit()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _config(self) -> Path:
        return self.folder / "my.cnf"

    def _write_config(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._socket_folder.mkdir(exist_ok=True)
        text = _CONFIG.format(
            user=getpass.getuser(),
            data=self.folder / "data",
            socket=self.socket,
            folder=self.folder,
            port=self.port,
            binlog_format=self.binlog_format,
        )
        self._config.write_text(text)

    def _initialise(self, binaries: ServerBinaries) -> None:
        """Make the system tables; the folder gets its name only when they are whole."""
        partial, data = self.folder / "data.partial", self.folder / "data"
        shutil.rmtree(partial, ignore_errors=True)
        if binaries.installer is None:
            command = [str(binaries.daemon), "--no-defaults", "--initialize-insecure"]
        else:
            command = [str(binaries.installer), "--no-defaults", "--skip-test-db"]
            command += ["--auth-root-authentication-method=normal", "--skip-name-resolve"]
            command += [f"--basedir={binaries.base}"] if binaries.base else []
        command += [f"--datadir={partial}", f"--user={getpass.getuser()}"]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
        )
        if done.returncode != 0:
            words = " / ".join((done.stdout + done.stderr).strip().splitlines()[-3:])
            raise UnavailableError(f"MySQL's data folder could not be made: {words}")
        partial.rename(data)

    def _create_account(self) -> None:
        self.run(
            f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';"
            f"GRANT {_GRANTS} ON *.* TO '{USER}'@'%'"
        )

    def _answers(self) -> bool:
        assert self._child is not None
        self._child.check()
        if not self.socket.exists():  # the client would leave a socket open for each refusal
            return False
        try:
            self.query("SELECT 1")
        except pymysql.err.OperationalError:
            return False
        return True

    def _connect(self, database: str | None, *, autocommit: bool = True) -> Any:
        return pymysql.connect(
            unix_socket=str(self.socket),
            user="root",
            database=database,
            autocommit=autocommit,
            init_command="SET time_zone = '+00:00'",
            connect_timeout=10,
            read_timeout=300,
        )
