"""A case: one target, the statements that write it, and the settings of the job around them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from kit.flinkcases import PER_WORLD, queries, timed
from kit.flinkcases.changes import Story, story
from kit.flinkcases.queries import Select
from kit.flinkcases.sources import FIXED, OTHERS, Layout, Source
from kit.flinkcases.values import Scope

STANDARD, IGNORE = "CHANGELOG_STANDARD", "IGNORE_DELETE"
TO_NULL, ON_KEY = "NON_PK_FIELD_TO_NULL", "DELETE_ROW_ON_PK"
DELETES_ROWS = (STANDARD, ON_KEY)


@dataclass(frozen=True, eq=False)
class Case:
    """Statements of one target. With several, all have the same key and each its own columns."""

    number: int
    selects: tuple[Select, ...]
    strategy: str
    hints: dict[str, str]
    layout: Layout
    facts_mode: str  # how `facts` is read; empty: as it is by default

    @property
    def types(self) -> dict[str, str]:
        """Return the target's columns: the key, then those of each statement."""
        first = self.selects[0]
        kinds = [*first.types[: first.keys]]
        for each in self.selects:
            kinds += each.types[each.keys :]
        return {f"c{i}": kind for i, kind in enumerate(kinds)}

    @property
    def key(self) -> tuple[str, ...]:
        """Return the target's key."""
        return tuple(self.types)[: self.selects[0].keys]

    @property
    def partial(self) -> bool:
        """Tell whether the statements write parts of rows."""
        return len(self.selects) > 1

    @property
    def sources(self) -> frozenset[str]:
        """Return the tables that the case reads."""
        return frozenset().union(*(each.sources for each in self.selects))

    @property
    def event_time(self) -> bool:
        """Tell whether an answer waits for watermarks."""
        return any(each.timed for each in self.selects)

    def parts(self) -> list[tuple[Select, list[int]]]:
        """Return each statement with the positions of its columns that are not of the key."""
        at, found = self.selects[0].keys, []
        for each in self.selects:
            more = len(each.types) - each.keys
            found.append((each, list(range(at, at + more))))
            at += more
        return found

    def __str__(self) -> str:
        kinds = " + ".join(each.kind for each in self.selects)
        mode = f", facts read as {self.facts_mode}" if self.facts_mode else ""
        return f"case {self.number} ({kinds}, {self.hints}, {self.layout}{mode})"


@dataclass(frozen=True)
class World:
    """The rows that some cases share, and the settings of their job."""

    number: int
    story: Story
    settings: dict[str, str]
    cases: tuple[Case, ...]

    @property
    def sources(self) -> frozenset[str]:
        """Return the tables that are read at all."""
        return frozenset().union(*(case.sources for case in self.cases))


def world(numbers: Sequence[int]) -> World:
    """Return the world of some cases, which must be of one."""
    [number] = {case // PER_WORLD for case in numbers}
    rng = Random(f"world {number}")
    settings = _settings(rng)
    told = story(rng)
    return World(number, told, settings, tuple(case_of(n, settings) for n in numbers))


def _settings(rng: Random) -> dict[str, str]:
    """Draw the job's settings; one of parallelism 2 that shared no source would be too large."""
    parallelism = rng.choice(["1", "2"])
    return {
        "parallelism.default": parallelism,
        "execution.checkpointing.interval": rng.choice(["1 h", "200 ms", "1 s"]),
        "table.exec.mini-batch.enabled": rng.choice(["false", "false", "true"]),
        "table.exec.mini-batch.allow-latency": "50 ms",
        "table.exec.mini-batch.size": "50",
        "table.optimizer.reuse-source-enabled": rng.choice(
            [str(parallelism == "2").lower(), "true"]
        ),
        "pipeline.object-reuse": rng.choice(["true", "false"]),
    }


def case_of(number: int, settings: dict[str, str]) -> Case:
    """Draw a case by its number, for a job of these settings."""
    rng = Random(f"case {number}")
    strategy = rng.choice([STANDARD, STANDARD, STANDARD, IGNORE, TO_NULL, ON_KEY])
    draw = rng.random()
    if draw < 0.2:
        selects = _partial(rng, strategy)
    else:
        selects = (rng.choice(timed.KINDS if draw < 0.4 else queries.KINDS)(rng),)
    alone = settings["parallelism.default"] == "1"
    if strategy == IGNORE and not alone and any(each.moves for each in selects):
        strategy = STANDARD
    layout = Layout(rng.choice([1, 3]), rng.choice(["column", "column", "row,column"]))
    hints, mode = _hints(rng, strategy, len(selects) > 1), rng.choice(["", "", "", "", "UPSERT"])
    if settings["table.exec.mini-batch.enabled"] == "true":
        mode = ""  # what restores before images would leave out short-lived ones
    if any("look-up" in each.kind for each in selects):
        mode = ""  # refused: an inner look-up needs before images
    return Case(number, selects, strategy, hints, layout, mode)


def _hints(rng: Random, strategy: str, partial: bool) -> dict[str, str]:
    hints = {"sink.delete-strategy": strategy}
    if rng.random() < 0.7:
        hints["sink.insert.batch-size"] = rng.choice(["1", "3", "8192"])
    if rng.random() < 0.5:
        hints["sink.insert.flush-interval-ms"] = rng.choice(["4", "20", "100"])
    if rng.random() < 0.3:
        hints["sink.parallelism"] = rng.choice(["1", "2"])
    if partial:  # the default's 10 s are too long to wait for
        hints["sink.update-before.wait-ms"] = "3000"
    return hints


def _partial(rng: Random, strategy: str) -> tuple[Select, ...]:
    """Two statements that own their columns; where rows are deleted the second is done before."""
    key = ("CAST(b.k AS BIGINT)", "BIGINT") if strategy in DELETES_ROWS else ("b.rid", "BIGINT")
    source: Source = FIXED if strategy in DELETES_ROWS else OTHERS
    first = rng.choice([queries.project, queries.filtered, queries.filtered, queries.looked_up])(
        rng
    )
    scope = Scope.of(rng, b=source.columns)
    where = f" WHERE {scope.condition()}" if rng.random() < 0.5 else ""
    rest = f"FROM {{{source.name}}} AS b{where}"
    second = queries.select("companion", [key], scope.values(), rest, per_row=True)
    return (replace(first, kind=f"partial {first.kind}"), second)
