"""A Flink session cluster from PyFlink's own jars: one JobManager, one TaskManager.

The two JVMs are started directly (Flink's scripts take fifteen seconds to find out what is written
here), with a configuration folder of their own:

    <folder>/conf/config.yaml     what both read: ports, memory, checkpoints, restarts
    <folder>/log/                 *.log by log4j, *.out what the JVMs print
    <folder>/checkpoints/         of all jobs that set no other place
    <folder>/cluster.json         REST address and identities of the two processes
    <folder>/lib/*.jar            more jars for both, such as MySQL's driver; the user's

Our own jars are on the JVMs' class path, as Flink recommends for what many jobs use: classes are
loaded once and not for each job, and the JIT's work on them is kept. A new version of them needs a
restart of the cluster.

Invariants:
* `start` is idempotent and repairs: what runs is kept, what is missing is started.
* Ports are chosen once and kept in `cluster.json`, so clients survive a restart.
* `stop` returns when both JVMs are gone.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluiceway.catalog import UnavailableError, UserError
from sluiceway.jobs import places
from sluiceway.jobs.flinkrest import FlinkRest
from sluiceway.jobs.processes import Child, end, find, free_port, identity
from sluiceway.jobs.waiting import wait_until

SLOTS = 12
_START_S = 90.0
_HOST = "127.0.0.1"
_JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_TASK_MANAGER_MB = 3072
# How the TaskManager's 3 GB are cut; sums with the heap to _TASK_MANAGER_MB.
_MB = {"framework_heap": 128, "framework_off": 128, "task_off": 512, "network": 192}
_MB |= {"managed": 128, "metaspace": 384, "overhead": 256}


@dataclass(frozen=True)
class ClusterStats:
    """What a cluster holds."""

    rest: str
    task_managers: int
    slots_total: int
    slots_free: int
    jobs_running: int


class SessionCluster:
    """The session cluster whose files are in a folder."""

    def __init__(
        self, folder: Path, *, tied: bool = False, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder.absolute()
        self.tied = tied
        self.settings = dict(settings or {})
        self._children: dict[str, Child] = {}  # those that this object started

    @property
    def conf(self) -> Path:
        """Return the configuration folder, for FLINK_CONF_DIR."""
        return self.folder / "conf"

    @property
    def logs(self) -> Path:
        """Return the folder of the logs."""
        return self.folder / "log"

    @property
    def address(self) -> str:
        """Return the REST address `host:port`; an error if the cluster was never started."""
        saved = self._saved()
        if "rest" not in saved:
            raise UnavailableError(
                f"no Flink cluster was started in {self.folder}: use `sluiceway flink start`"
            )
        return str(saved["rest"])

    @property
    def rest(self) -> FlinkRest:
        """Return the cluster's REST interface."""
        return FlinkRest(self.address)

    def start(self, *, deadline_s: float = _START_S) -> str:
        """Start what does not run, wait for the slots, return the REST address."""
        self.launch()
        return self.wait_ready(deadline_s=deadline_s)

    def launch(self) -> None:
        """Start what does not run, without waiting for it."""
        saved = self._saved() or self._configure()
        for name, main, heap_mb in _processes():
            if find(saved["processes"].get(name)) is None:
                self._children[name] = self._spawn(name, main, heap_mb)
                saved["processes"][name] = identity(self._children[name].pid)
        self._save(saved)

    def wait_ready(self, *, deadline_s: float = _START_S) -> str:
        """Wait for the slots, return the REST address; if they do not come stop all."""
        rest = self.rest

        def ready() -> bool:
            for child in self._children.values():
                child.check()
            return rest.answers() and int(rest.overview()["slots-total"]) >= SLOTS

        try:
            wait_until(
                f"Flink at {rest.address} with {SLOTS} slots",
                ready,
                deadline_s=deadline_s,
                hint=lambda: f"logs in {self.logs}",
            )
        except BaseException:
            self.stop()
            raise
        return rest.address

    def kill_task_manager(self) -> None:
        """SIGKILL the TaskManager; `start` brings a new one."""
        process = self._process("taskmanager")
        if process is None:
            raise UnavailableError(f"no TaskManager runs in {self.folder}")
        process.kill()
        process.wait(timeout=10)

    def stop(self) -> bool:
        """End both processes; tell whether any ran."""
        saved = self._saved()
        running = [p for name in saved.get("processes", {}) if (p := self._process(name))]
        for process in reversed(running):
            end(process)
        if saved:
            saved["processes"] = {}
            self._save(saved)
        return bool(running)

    def runs(self) -> bool:
        """Tell whether the JobManager's process is there."""
        return self._process("jobmanager") is not None

    def task_output(self) -> str:
        """Return what tasks have printed, for sinks of type `print`."""
        path = self.logs / "taskmanager.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def stats(self) -> ClusterStats:
        """Return what the cluster holds now."""
        seen = self.rest.overview()
        return ClusterStats(
            self.address,
            int(seen["taskmanagers"]),
            int(seen["slots-total"]),
            int(seen["slots-available"]),
            int(seen["jobs-running"]),
        )

    def _process(self, name: str) -> Any | None:
        """Return a running process of the cluster: our own child, or another session's."""
        if name in self._children:
            process = self._children[name].process
            return process if process.poll() is None else None
        return find(self._saved().get("processes", {}).get(name))

    def _spawn(self, name: str, main: str, heap_mb: int) -> Child:
        command = [java(), f"-Xmx{heap_mb}m", f"-Xms{min(heap_mb, 256)}m", *self._jvm_flags(name)]
        command += ["-classpath", os.pathsep.join(map(str, self._class_path()))]
        command += [main, "--configDir", str(self.conf)]
        env = {"FLINK_CONF_DIR": str(self.conf), "FLINK_LOG_DIR": str(self.logs)}
        log = self.logs / f"{name}.out"
        return Child(f"Flink's {name}", command, log=log, env=env, tied=self.tied)

    def _class_path(self) -> list[Path]:
        theirs = sorted((self.folder / "lib").glob("*.jar"))
        return [*sorted((flink_home() / "lib").glob("*.jar")), *places.jars(), *theirs]

    def _jvm_flags(self, name: str) -> list[str]:
        direct_mb = _MB["framework_off"] + _MB["task_off"] + _MB["network"]
        return [
            "-XX:+UseG1GC",
            f"-XX:MaxDirectMemorySize={direct_mb}m",
            f"-XX:MaxMetaspaceSize={_MB['metaspace']}m",
            *open_flags(),
            f"-Dlog.file={self.logs / (name + '.log')}",
            f"-Dlog4j.configurationFile=file:{self.conf / 'log4j.properties'}",
        ]

    def _configure(self) -> dict[str, Any]:
        """Write the configuration folder of a new cluster."""
        rest_port = free_port()
        for folder in (self.conf, self.logs, self.folder / "checkpoints"):
            folder.mkdir(parents=True, exist_ok=True)
        settings = {**self._defaults(rest_port, free_port()), **self.settings}
        text = "".join(f"{key}: {value}\n" for key, value in settings.items())
        (self.conf / "config.yaml").write_text(text)
        (self.conf / "log4j.properties").write_text(_LOG4J)
        shutil.copy(self.conf / "log4j.properties", self.conf / "log4j-cli.properties")
        return {"rest": f"{_HOST}:{rest_port}", "processes": {}}

    def _defaults(self, rest_port: int, rpc_port: int) -> dict[str, str]:
        heap_mb = _TASK_MANAGER_MB - sum(_MB.values())
        return {
            "jobmanager.rpc.address": _HOST,
            "jobmanager.rpc.port": str(rpc_port),
            "jobmanager.bind-host": _HOST,
            "jobmanager.memory.heap.size": "512m",
            "rest.address": _HOST,
            "rest.bind-address": _HOST,
            "rest.port": str(rest_port),
            "taskmanager.host": _HOST,
            "taskmanager.bind-host": _HOST,
            "taskmanager.numberOfTaskSlots": str(SLOTS),
            "taskmanager.cpu.cores": str(float(SLOTS)),
            "taskmanager.memory.framework.heap.size": f"{_MB['framework_heap']}m",
            "taskmanager.memory.framework.off-heap.size": f"{_MB['framework_off']}m",
            "taskmanager.memory.task.heap.size": f"{heap_mb}m",
            "taskmanager.memory.task.off-heap.size": f"{_MB['task_off']}m",
            "taskmanager.memory.network.min": f"{_MB['network']}m",
            "taskmanager.memory.network.max": f"{_MB['network']}m",
            "taskmanager.memory.managed.size": f"{_MB['managed']}m",
            "taskmanager.memory.jvm-metaspace.size": f"{_MB['metaspace']}m",
            "taskmanager.memory.jvm-overhead.min": f"{_MB['overhead']}m",
            "taskmanager.memory.jvm-overhead.max": f"{_MB['overhead']}m",
            "heartbeat.interval": "1 s",
            "heartbeat.timeout": "10 s",
            "env.java.opts.all": " ".join(open_flags()),
            **job_defaults(self.folder / "checkpoints"),
        }

    def _saved(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.folder / "cluster.json").read_text()))
        except FileNotFoundError:
            return {}

    def _save(self, saved: dict[str, Any]) -> None:
        (self.folder / "cluster.json").write_text(json.dumps(saved, indent=1) + "\n")


def job_defaults(checkpoints: Path | None) -> dict[str, str]:
    """Return how jobs checkpoint and restart unless they say otherwise.

    Without a folder the checkpoints go where the cluster puts them.
    """
    settings = {
        "parallelism.default": "1",
        "execution.checkpointing.interval": "1 s",
        "execution.checkpointing.timeout": "2 min",
        "execution.checkpointing.tolerable-failed-checkpoints": "100",
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "500 ms",
        "restart-strategy.exponential-delay.max-backoff": "5 s",
        "pipeline.object-reuse": "true",
    }
    if checkpoints is not None:
        savepoints = checkpoints / "savepoints"
        settings["execution.checkpointing.storage"] = "filesystem"
        settings["execution.checkpointing.dir"] = checkpoints.as_uri()
        settings["execution.checkpointing.savepoint-dir"] = savepoints.as_uri()
    return settings


def flink_home() -> Path:
    """Return PyFlink's folder; an error that says how to install it."""
    try:
        import pyflink
    except ImportError as error:
        raise UserError("PyFlink is not installed: pip install 'sluiceway[flink]'") from error
    return Path(str(pyflink.__file__)).parent


def java() -> str:
    """Return the Java to run: of JAVA_HOME, else of the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found is None:
        raise UserError("java is not on the PATH and not in JAVA_HOME: install a JDK, version 17")
    return found


def open_flags() -> list[str]:
    """Return the --add-opens and --add-exports that PyFlink's own configuration asks for."""
    for line in (flink_home() / "conf" / "config.yaml").read_text().splitlines():
        key, _, value = line.strip().partition(": ")
        if key == "all" and value.startswith("--add-"):
            return value.split()
    raise UserError(f"{flink_home()}/conf/config.yaml has no env.java.opts.all: re-install PyFlink")


def _processes() -> Iterator[tuple[str, str, int]]:
    heap_mb = _TASK_MANAGER_MB - sum(_MB.values()) + _MB["framework_heap"]
    yield "jobmanager", _JOB_MANAGER, 640
    yield "taskmanager", _TASK_MANAGER, heap_mb


_LOG4J = """\
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = File
logger.netty.name = org.apache.flink.shaded.netty4.io.netty
logger.netty.level = OFF
appender.file.name = File
appender.file.type = RollingFile
appender.file.fileName = ${sys:log.file}
appender.file.filePattern = ${sys:log.file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-40c{1} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 50MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
"""
