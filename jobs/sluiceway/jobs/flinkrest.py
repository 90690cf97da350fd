"""The part of Flink's REST interface that the jobs need.

Invariants: every call has a time limit; an unreachable cluster is an UnavailableError that names
its address; a refusal of Flink is a UserError with Flink's own first line.
"""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from sluiceway.catalog import NotFoundError, SluicewayError, UnavailableError, UserError
from sluiceway.jobs.waiting import wait_for, wait_until

ENDED = frozenset({"FINISHED", "FAILED", "CANCELED"})
_CALL_S = 10.0
_MESSAGE_CHARS = 800


@dataclass(frozen=True)
class Job:
    """One job as the cluster reports it."""

    id: str
    name: str
    state: str
    started_ms: int
    tasks: dict[str, int]

    @property
    def runs(self) -> bool:
        """Tell whether all tasks of the job run."""
        total = self.tasks.get("total", 0)
        return self.state == "RUNNING" and self.tasks.get("running", 0) == total > 0


class FlinkRest:
    """A cluster by its REST address `host:port`."""

    def __init__(self, address: str) -> None:
        self.address = address.removeprefix("http://").rstrip("/")

    def overview(self) -> dict[str, Any]:
        """Return TaskManagers, slots and job counts."""
        return dict(self._call("GET", "/overview"))

    def answers(self) -> bool:
        """Tell whether a cluster answers at the address."""
        try:
            self.overview()
        except UnavailableError:
            return False
        return True

    def class_path(self) -> frozenset[str]:
        """Return the names of the jars on the JobManager's class path; none if it does not tell."""
        try:
            found = self._call("GET", "/jobmanager/environment").get("classpath", [])
        except SluicewayError:
            return frozenset()
        return frozenset(str(path).rpartition("/")[2] for path in found)

    def jobs(self) -> list[Job]:
        """Return all jobs, the newest first."""
        found = self._call("GET", "/jobs/overview")["jobs"]
        jobs = [Job(j["jid"], j["name"], j["state"], j["start-time"], j["tasks"]) for j in found]
        return sorted(jobs, key=lambda job: -job.started_ms)

    def job(self, job_id: str) -> Job:
        """Return one job by its id, or by a prefix that only it has."""
        found = [job for job in self.jobs() if job.id.startswith(job_id)]
        if len(found) != 1:
            what = "no job" if not found else f"{len(found)} jobs"
            raise NotFoundError(f"{what} with id {job_id!r} on {self.address}", sqlstate="42704")
        return found[0]

    def cancel(self, job_id: str, *, deadline_s: float = 60.0) -> Job:
        """Cancel a job and wait until it has ended."""
        job = self.job(job_id)
        if job.state not in ENDED:
            self._call("PATCH", f"/jobs/{job.id}?mode=cancel")
        return self.wait_ended(job.id, deadline_s=deadline_s)

    def savepoint(
        self, job_id: str, folder: str | None, *, stop: bool = False, deadline_s: float = 120.0
    ) -> str:
        """Write a savepoint (and stop the job if asked); return its path."""
        job = self.job(job_id)
        path = f"/jobs/{job.id}/" + ("stop" if stop else "savepoints")
        body = {"drain": False, "targetDirectory": folder} if stop else {"target-directory": folder}
        trigger = self._call("POST", path, body)["request-id"]

        def location() -> str | None:
            status = self._call("GET", f"/jobs/{job.id}/savepoints/{trigger}")
            if status["status"]["id"] != "COMPLETED":
                return None
            operation = status["operation"]
            if "location" not in operation:
                cause = operation.get("failure-cause", {}).get("stack-trace", "unknown cause")
                raise UserError(f"the savepoint of {job.id} failed: {root_line(cause)}")
            return str(operation["location"])

        return wait_for(f"savepoint of job {job.id}", location, deadline_s=deadline_s)

    def wait_running(self, job_id: str, *, deadline_s: float = 60.0) -> None:
        """Wait until all tasks of a job run; a job that ends instead is an error with its cause."""

        def runs() -> bool:
            job = self.job(job_id)
            if job.state in ENDED - {"FINISHED"}:
                cause = self.failure(job_id)
                raise UnavailableError(f"job {job.name!r} is {job.state}: {cause}")
            return job.runs or job.state == "FINISHED"

        wait_until(
            f"job {job_id} running",
            runs,
            deadline_s=deadline_s,
            hint=lambda: f"it is {self.job(job_id).state}; last failure: {self.failure(job_id)}",
        )

    def wait_ended(self, job_id: str, *, deadline_s: float = 60.0) -> Job:
        """Wait until a job has finished, failed or been cancelled."""

        def ended() -> Job | None:
            job = self.job(job_id)
            return job if job.state in ENDED else None

        return wait_for(f"end of job {job_id}", ended, deadline_s=deadline_s)

    def wait_slots(self, slots: int, *, deadline_s: float = 60.0) -> None:
        """Wait until so many task slots are there."""
        wait_until(
            f"{slots} task slots at {self.address}",
            lambda: self.answers() and int(self.overview()["slots-total"]) >= slots,
            deadline_s=deadline_s,
        )

    def failure(self, job_id: str) -> str:
        """Return the innermost cause of a job's newest failure, '' if there was none."""
        history = self._call("GET", f"/jobs/{job_id}/exceptions?maxExceptions=1")
        entries = history.get("exceptionHistory", {}).get("entries", [])
        return root_line(entries[0]["stacktrace"]) if entries else ""

    def duration_s(self, job_id: str) -> float:
        """Return how long the tasks of an ended job ran, from the first start to the last end."""
        tasks = self._call("GET", f"/jobs/{job_id}")["vertices"]
        ran_ms = max(t["end-time"] for t in tasks) - min(t["start-time"] for t in tasks)
        return float(ran_ms) / 1000

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://{self.address}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_CALL_S) as response:
                return json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            if error.code == 503:  # the cluster is starting
                raise UnavailableError(f"Flink at {self.address} is starting") from error
            raise UserError(f"Flink refused {method} {path}: {_refusal(text)}") from error
        except (OSError, ValueError) as error:
            raise UnavailableError(
                f"no Flink cluster answers at {self.address}: start one with "
                f"`sluiceway flink start` ({error})"
            ) from error


def root_line(stack_trace: str) -> str:
    """Return the message of the innermost cause of a Java stack trace, without its class."""
    last = stack_trace.rsplit("Caused by: ", 1)[-1]
    lines = [line.strip() for line in last.splitlines()]
    frames = (i for i, line in enumerate(lines) if line.startswith(("at ", "... ")))
    text = " ".join(line for line in lines[: next(frames, len(lines))] if line)
    kind, colon, message = text.partition(": ")
    is_class = colon and "." in kind and " " not in kind
    return (message if is_class and message else text)[:_MESSAGE_CHARS] or "unknown cause"


def _refusal(text: str) -> str:
    try:
        errors = json.loads(text)["errors"]
    except (ValueError, KeyError, TypeError):
        return text[:200]
    return root_line(str(errors[-1]) if errors else text)[:400]
