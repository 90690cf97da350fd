"""A world as one job: its tables made, its rows written while the job runs, its targets compared.

A target is right when it holds what is wanted and goes on to hold it while nothing moves. It is
wrong when nothing moves any more: the readers have read all, and no commit has come for a while.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.request import urlopen

import pyarrow as pa

from kit.flink import DATABASE, FlinkSql
from kit.flinkcases import targets
from kit.flinkcases.cases import Case, World, world
from kit.flinkcases.changes import written
from kit.flinkcases.queries import LOOKUPS, Select
from kit.flinkcases.sources import SOURCES, Commit, Layout
from kit.flinkcases.sources import Change as RowChange
from kit.flinkcases.targets import Failure
from kit.flinkcases.wanted import Answers, Wanted, steady, wanted
from kit.tables import create_table, with_ops
from sluiceway.catalog import Change, DropTable, SluicewayError, Table, UnavailableError
from sluiceway.jobs.flinkrest import ENDED
from sluiceway.jobs.waiting import wait_until

STILL_S = 1.2  # a right target must stay so, and longer than a before image waits
STUCK_S = 6.0  # a wrong one has had its time
DEADLINE_S = 90.0
_POLL_S = 0.1
_MODE = " /*+ OPTIONS('source.binlog.change-log-mode' = '{}') */"
_DELAY = "INTERVAL '30' MINUTE"


@dataclass
class WorldRun:
    """One world on a cluster."""

    flink: FlinkSql
    world: World
    failures: list[Failure] = field(default_factory=list)
    _tables: dict[str, Table] = field(default_factory=dict)
    _job: str = ""
    _cause_at_start: str = ""  # a start may take more than one try where the machine is busy

    def run(self) -> list[Failure]:
        """Return the cases that failed; an error if the job did, or was never planned."""
        story = self.world.story
        answers = [Answers(state, self.world.sources) for state in story.seen()]
        try:
            self._make_tables()
            for commit in story.commits[: story.before]:
                self._write(commit)
            self._start()
            early = [case for case in self.world.cases if not case.event_time]
            self._compare(early, answers[:1], "with the rows before the job")
            for commit in story.commits[story.before :]:
                self._write(commit)
                if commit.settle:
                    self._wait("the sources being read", lambda: self._lag() == 0)
            self._compare(list(self.world.cases), answers, "at the end")
            self._check_changelogs(answers)
        finally:
            self._end(answers)
        return self.failures

    # Tables and rows

    def _name(self, table: str | Case) -> str:
        part = table if isinstance(table, str) else f"t{table.number}"
        return f"w{self.world.number}_{part}"

    def _make_tables(self) -> None:
        changes = []
        for name in sorted(self.world.sources):
            source, layout = SOURCES[name], self.world.story.layouts[name]
            changes.append(self._create(name, source.columns, source.key, layout))
        for case in self.world.cases:
            changes.append(self._create(case, case.types, case.key, case.layout))
        made = [table for table in self.flink.client.ddl(*changes) if table is not None]
        self._tables = {table.name: table for table in made}

    def _create(
        self, table: str | Case, columns: Mapping[str, str], key: Sequence[str], layout: Layout
    ) -> Change:
        return create_table(
            self._name(table),
            columns,
            key,
            database=DATABASE,
            shards=layout.shards,
            options=layout.options,
        )

    def _write(self, commit: Commit) -> None:
        writes = [
            (self._name(name), self._batch(name, changes))
            for name, changes in written(commit, set(self.world.sources))
        ]
        if commit.together:
            with self.flink.client.transaction() as transaction:
                for name, batch in writes:
                    transaction.write(DATABASE, name, batch)
            return
        for name, batch in writes:
            self.flink.client.write(DATABASE, name, batch)

    def _batch(self, name: str, changes: list[RowChange]) -> pa.RecordBatch:
        schema = self._tables[self._name(name)].arrow_schema()
        [batch] = SOURCES[name].arrow([c.row for c in changes]).to_batches()
        arrays = [column.cast(t) for column, t in zip(batch.columns, schema.types, strict=True)]
        return with_ops([c.op for c in changes], pa.record_batch(arrays, schema=schema))

    # The job

    def _start(self) -> None:
        script = "".join(f"SET '{k}' = '{v}';\n" for k, v in self.world.settings.items())
        for name in sorted(self.world.sources):
            if SOURCES[name].event_time:
                script += (
                    f"CREATE TEMPORARY TABLE {self._name(name)}_timed"
                    f" (WATERMARK FOR ts AS ts - {_DELAY}) LIKE {self._name(name)};\n"
                )
        inserts = [text for case in self.world.cases for text in self.statements(case)]
        [self._job] = self.flink.run(
            script + "BEGIN STATEMENT SET;\n" + ";\n".join(inserts) + ";\nEND;"
        )
        self.flink.cluster.rest.wait_running(self._job, deadline_s=DEADLINE_S)
        expected = self._readers_expected()
        self._cause_at_start = self.flink.cluster.rest.failure(self._job)
        self._wait(f"{expected} readers", lambda: len(self._readers()) >= expected)

    def statements(self, case: Case) -> Iterator[str]:
        """Yield the INSERTs of a case."""
        hints = ", ".join(f"'{key}' = '{value}'" for key, value in case.hints.items())
        names = list(case.types)
        for query, columns in case.parts():
            wanted = [*case.key, *(names[i] for i in columns)]
            listed = f" ({', '.join(wanted)})" if case.partial else ""
            into = f"INSERT INTO {self._name(case)} /*+ OPTIONS({hints}) */{listed}"
            yield f"{into} {self._flink_text(query, case.facts_mode)}"

    def _flink_text(self, query: Select, facts_mode: str) -> str:
        names = {name: self._name(name) for name in SOURCES}
        names["facts"] += _MODE.format(facts_mode) if facts_mode else ""
        if query.timed:
            for name in ("lefts", "rights", "rates"):
                names[name] += "_timed"
            names["rights"] += _MODE.format("ALL_AS_APPEND_ONLY")
            names["rates"] += " /*+ OPTIONS('source.binlog.startup-mode' = 'EARLIEST_OFFSET') */"
        text = query.text.replace("@asc", "ASC").replace("@desc", "DESC")
        for mark, clause in LOOKUPS.items():
            text = text.replace(mark, clause)
        return text.format_map(names)

    def _readers_expected(self) -> int:
        """Count shards of the plan's sources, each of which has a reader of its own."""
        plan = self._plan()
        expected = 0
        for name in self.world.sources:
            mark = f"table=[[dw, {DATABASE}, {self._name(name)}"
            for node in plan:
                expected += node.count(mark) * self.world.story.layouts[name].shards
        return expected

    def _plan(self) -> list[str]:
        """Return what Flink says of each chain of operators."""
        address = self.flink.cluster.rest.address
        with urlopen(f"http://{address}/jobs/{self._job}/plan", timeout=10) as answer:
            return [str(node["description"]) for node in json.load(answer)["plan"]["nodes"]]

    def _readers(self) -> list[dict[str, Any]]:
        mine = {f"{DATABASE}.{self._name(name)}" for name in self.world.sources}
        return [r for r in self.flink.client.status()["readers"] if r["table"] in mine]

    def _lag(self) -> int:
        self._check_job()
        return sum(int(reader["lag"]) for reader in self._readers())

    def _check_job(self) -> None:
        """Check that the job runs, and has not begun again since the start."""
        rest = self.flink.cluster.rest
        cause, state = rest.failure(self._job), rest.job(self._job).state
        if state != "RUNNING" or cause != self._cause_at_start:
            raise UnavailableError(f"the job is {state}: {cause}")

    def _wait(self, what: str, probe: Callable[[], bool]) -> None:
        wait_until(what, probe, deadline_s=DEADLINE_S, interval_s=_POLL_S)

    # Comparing

    def _compare(self, cases: list[Case], answers: list[Answers], moment: str) -> None:
        """Wait until all targets are right and stay so, or nothing moves any more."""
        failed = {failure.case.number for failure in self.failures}
        wants = {c: wanted(c, answers) for c in cases if c.number not in failed}
        begun = moved = time.monotonic()
        seen, wrong = {"": -1}, dict[Case, list[str]]()
        while time.monotonic() - begun < DEADLINE_S:
            now = self._positions()
            if now != seen:
                seen, moved = now, time.monotonic()
                wrong = {c: p for c in wants if (p := self._differences(c, wants[c]))}
            still = time.monotonic() - moved
            if self._lag() == 0 and still > (STUCK_S if wrong else STILL_S):
                break
            time.sleep(_POLL_S)
        for case, problems in wrong.items():
            self._fail(case, moment, problems)

    def _positions(self) -> dict[str, int]:
        """Return the LSN of the newest change of each table of this world."""
        tables = self.flink.client.status()["tables"]
        return {t["name"]: int(t["lsn"]) for t in tables if t["name"] in self._tables}

    def _differences(self, case: Case, want: Wanted) -> list[str]:
        keys = len(case.key)
        rows = targets.rows(self.flink.client, self._name(case))
        return want.differences({row[:keys]: row[keys:] for row in rows})

    def _check_changelogs(self, answers: list[Answers]) -> None:
        until = int(self.flink.client.hello()["published"])
        for case in self.world.cases:
            problems = targets.changelog_problems(
                self.flink.client, self._name(case), case, until, steady(case, answers)
            )
            if problems:
                self._fail(case, "in the changelog", problems)

    def _fail(self, case: Case, moment: str, problems: list[str]) -> None:
        self.failures.append(Failure(case, moment, problems, self.world))

    def _end(self, answers: list[Answers]) -> None:
        for answer in answers:
            answer.close()
        if self._job:
            rest = self.flink.cluster.rest
            if rest.job(self._job).state not in ENDED:
                rest.cancel(self._job)
        timed = [name for name in self.world.sources if SOURCES[name].event_time]
        self.flink.run(
            "".join(f"DROP TEMPORARY TABLE IF EXISTS {self._name(n)}_timed;" for n in timed)
        )
        if self._tables:
            self.flink.client.ddl(*(DropTable(DATABASE, name) for name in self._tables))


def run_cases(flink: FlinkSql, numbers: Sequence[int]) -> list[Failure]:
    """Run cases of one world; of those whose job fails find the ones that make it fail."""
    told = world(numbers)
    try:
        return WorldRun(flink, told).run()
    except SluicewayError as error:
        failed = [f for part in _halves(numbers) for f in run_cases(flink, part)]
        blamed = told.cases[:1] if not failed else ()
        return failed + [Failure(case, "the job", [str(error)], told) for case in blamed]


def _halves(numbers: Sequence[int]) -> list[Sequence[int]]:
    middle = len(numbers) // 2
    return [numbers[:middle], numbers[middle:]] if middle else []
