"""What happens to the source tables: commits of random changes, and the rows after each.

Invariants: `u` of the living facts is unique after each change; events are at most
`DISORDER` minutes away from their commit's time; of a key of `rates` a commit has one version, with
a later time than all before.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TypeVar

from kit.flinkcases.sources import (
    FACTS,
    FAR,
    FIXED,
    LEFT,
    OTHERS,
    RATES,
    RIGHT,
    SOURCES,
    Change,
    Commit,
    Layout,
    Row,
)

T = TypeVar("T")

BEGIN = datetime(2024, 3, 10, 1, 30)
STEP = timedelta(minutes=10)
DISORDER = 12  # minutes; the watermark waits for 30
KEYS = 14
GROUPS = 5
_FAR_ROWS = 24  # enough for each shard to get one
_NAMES = ["a", "b", "ab", "Abc", "", "zz top", "é", "a" * 40]


@dataclass
class State:
    """The rows of all tables after a commit; `history` holds every version of `rates`."""

    keyed: dict[str, dict[Row, Row]] = field(
        default_factory=lambda: {name: {} for name, s in SOURCES.items() if s.key}
    )
    lists: dict[str, list[Row]] = field(
        default_factory=lambda: {name: [] for name, s in SOURCES.items() if not s.key}
    )
    history: list[Row] = field(default_factory=list)

    def copy(self) -> "State":
        """Return a state that does not change with this one."""
        keyed = {name: dict(rows) for name, rows in self.keyed.items()}
        lists = {name: list(rows) for name, rows in self.lists.items()}
        return State(keyed, lists, list(self.history))

    def apply(self, table: str, change: Change) -> None:
        """Do what the store does with one row."""
        if table in self.lists:
            self.lists[table].append(change.row)
            return
        key = SOURCES[table].key_of(change.row)
        if change.op == 3:
            self.keyed[table].pop(key, None)
        elif change.op != 1:
            self.keyed[table][key] = change.row
            if table == RATES.name:
                self.history.append(change.row)

    def rows(self, table: str) -> list[Row]:
        """Return the rows that a query is about: of `rates` all versions, none of the far ones."""
        if table == RATES.name:
            found = self.history
        else:
            found = self.lists[table] if table in self.lists else list(self.keyed[table].values())
        return [row for row in found if row[0] < FAR]


@dataclass(frozen=True)
class Story:
    """All commits of a world and the state after each; the job starts after `before` of them."""

    commits: list[Commit]
    states: list[State]
    before: int
    layouts: dict[str, Layout]

    def seen(self) -> list[State]:
        """Return the states that the job sees: the one it starts from, and those that follow."""
        return self.states[self.before - 1 :]


def story(rng: Random) -> Story:
    """Draw the commits of a world."""
    before = rng.randint(1, 3)
    layouts = {name: _layout(rng, bool(s.key)) for name, s in SOURCES.items()}
    writer = _Writer(rng)
    writer.fixed()
    for number in range(before + rng.randint(3, 8)):
        writer.commit(number, started=number >= before)
    writer.far()
    return Story(writer.commits, writer.states, before, layouts)


def _layout(rng: Random, keyed: bool) -> Layout:
    return Layout(
        rng.choice([1, 1, 3]), rng.choice(["column", "column", "row,column"]) if keyed else "column"
    )


class _Writer:
    """Draws change after change, each possible where the ones before it have led."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.state = State()
        self.commits: list[Commit] = []
        self.states: list[State] = []
        self._now = Commit()
        self._events = 0
        self._time = BEGIN

    def fixed(self) -> None:
        """Write the dimension: with the first commit, before the job."""
        for k in self.rng.sample(range(-1, KEYS), 9):
            self._add(FIXED.name, 0, (k, self._int(), self._text()))

    def commit(self, number: int, *, started: bool) -> None:
        """Write some rows to some of the tables."""
        self._time = BEGIN + number * STEP
        tables: list[Callable[[], None]] = [self._facts, self._others]
        for write in tables if number == 0 or self.rng.random() < 0.4 else [self._one_of(tables)]:
            write()
        if self.rng.random() < 0.7 or number == 0:
            self._event(LEFT.name)
            self._event(RIGHT.name)
        if self.rng.random() < 0.6 or number == 0:
            self._rates()
        self._end(started)

    def far(self) -> None:
        """Push the watermarks past all rows."""
        end = BEGIN + timedelta(days=10)
        for i in range(_FAR_ROWS):
            for table in (LEFT.name, RIGHT.name):
                self._add(table, 0, (FAR + i, None, None, end))
            self._add(RATES.name, 0, (FAR + i, None, end))
        self._end(started=True)

    def _end(self, started: bool) -> None:
        self._now.together = self.rng.random() < 0.3
        self._now.settle = started and self.rng.random() < 0.5
        self.commits.append(self._now)
        self.states.append(self.state.copy())
        self._now = Commit()

    def _one_of(self, tables: list[Callable[[], None]]) -> Callable[[], None]:
        return tables[0] if self.rng.random() < 0.6 else tables[1]

    def _add(self, table: str, op: int, row: Row) -> None:
        self._now.add(table, op, row)
        self.state.apply(table, Change(op, row))

    def _facts(self) -> None:
        for _ in range(self.rng.randint(1, 9)):
            self._change(FACTS.name, self._fact)

    def _others(self) -> None:
        for _ in range(self.rng.randint(1, 7)):
            self._change(OTHERS.name, self._other)

    def _change(self, table: str, make: Callable[[int], Row]) -> None:
        """Insert, update, delete, repeat, or move a row to another key."""
        key, rows, rng = self.rng.randrange(KEYS), self.state.keyed[table], self.rng
        old = rows.get((key,))
        if old is None:
            self._add(table, 3 if rng.random() < 0.05 else 0, make(key))
            return
        match rng.choices(["update", "replace", "delete", "repeat", "move"], [10, 4, 5, 2, 2])[0]:
            case "delete":
                self._add(table, 3, old)
            case "repeat":
                self._add(table, rng.choice([0, 2]), old)
            case "move":
                self._add(table, 3, old)
                self._add(table, 0, (rng.randrange(KEYS), *old[1:]))
            case "replace":
                self._add(table, 0, make(key))
            case _:
                if rng.random() < 0.2:
                    self._add(table, 1, old)
                self._add(table, 2, self._mutated(old, make(key)))

    def _mutated(self, old: Row, new: Row) -> Row:
        changed = set(self.rng.sample(range(1, len(old)), self.rng.randint(1, 3)))
        return tuple(
            n if i in changed else o for i, (o, n) in enumerate(zip(old, new, strict=True))
        )

    def _fact(self, key: int) -> Row:
        taken = {row[2] for row in self.state.keyed[FACTS.name].values() if row[0] != key}
        free = [u for u in range(KEYS + 4) if u not in taken]
        rng = self.rng
        return (
            key,
            self._maybe(lambda: rng.randrange(GROUPS)),
            self._maybe(lambda: rng.choice(free)),
            self._int(),
            self._maybe(lambda: rng.choice([-(2**40), 0, 7, 2**52])),
            self._text(),
            self._decimal(),
            self._maybe(lambda: rng.randrange(-40, 40) / 4),
            self._maybe(lambda: rng.random() < 0.5),
            self._maybe(lambda: BEGIN + timedelta(milliseconds=rng.randrange(90_000_000))),
        )

    def _other(self, key: int) -> Row:
        group = self._maybe(lambda: self.rng.randrange(GROUPS))
        return (key, group, self._int(), self._text(), self._decimal())

    def _event(self, table: str) -> None:
        """Events about now, out of order; those of a table without a key may come twice."""
        keyed = bool(SOURCES[table].key)
        for _ in range(self.rng.randint(0, 6)):
            self._events += 1
            away = self.rng.randrange(-DISORDER * 60_000, DISORDER * 60_000)
            ts = self._time + timedelta(milliseconds=away - away % 1000 + self._events % 1000)
            row = (self._events, self.rng.randrange(GROUPS), self._int(), ts)
            self._add(table, 0, row)
            if not keyed and self.rng.random() < 0.1:
                self._add(table, 0, row)

    def _rates(self) -> None:
        for k in sorted(self.rng.sample(range(GROUPS), self.rng.randint(1, 3))):
            ts = self._time + timedelta(seconds=self.rng.randrange(590))
            self._add(RATES.name, 0, (k, self._decimal(), ts))

    def _int(self) -> int | None:
        return self._maybe(lambda: self.rng.randrange(20))

    def _text(self) -> str | None:
        return self._maybe(lambda: self.rng.choice(_NAMES))

    def _decimal(self) -> Decimal | None:
        return self._maybe(lambda: Decimal(self.rng.randrange(-5000, 5000)).scaleb(-2))

    def _maybe(self, draw: Callable[[], T]) -> T | None:
        return None if self.rng.random() < 0.12 else draw()


def written(commit: Commit, tables: set[str]) -> Iterator[tuple[str, list[Change]]]:
    """Yield what a commit writes to some of the tables."""
    for table, changes in commit.changes.items():
        if table in tables:
            yield table, changes
