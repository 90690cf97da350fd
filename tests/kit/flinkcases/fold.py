"""A table's changelog told again: each event must fit the rows that the ones before it left."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kit.flinkcases.sources import Row

INSERTED, BEFORE, AFTER, DELETED = 5, 3, 7, 2
Event = tuple[int, Row]


@dataclass
class Fold:
    """The rows of one shard, from the begin of its changelog on.

    Invariant: a before image is of the row that is there, and its after image comes next.
    """

    keys: int  # so many columns at the front are the key
    rows: dict[Row, Row] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    deleted: set[Row] = field(default_factory=set)
    _waiting: Row | None = None  # a before image

    def take(self, events: Iterable[Event]) -> None:
        """Take events in their order."""
        for code, row in events:
            self._one(code, row)

    def end(self) -> None:
        """Nothing more comes."""
        if self._waiting is not None:
            self._say("3 is the last event", self._waiting)

    def _one(self, code: int, row: Row) -> None:
        key = row[: self.keys]
        there = self.rows.get(key)
        if self._waiting is not None and code != AFTER:
            self._say(f"3 is followed by {code}", self._waiting)
        before, self._waiting = self._waiting, None
        match code:
            case 5:
                self._check(there is None, "5 on a living key", row)
                self.rows[key] = row
            case 3:
                self._check(there == row, f"3 is not the row that is there, {there}", row)
                self._waiting = row
            case 7:
                fits = before is not None and before[: self.keys] == key
                self._check(fits, "7 does not follow its 3", row)
                self.rows[key] = row
            case 2:
                self._check(there == row, f"2 is not the row that is there, {there}", row)
                self.rows.pop(key, None)
                self.deleted.add(key)
            case _:
                self._say(f"{code} is no event", row)

    def _check(self, fits: bool, what: str, row: Row) -> None:
        if not fits:
            self._say(what, row)

    def _say(self, what: str, row: Row) -> None:
        self.problems.append(f"changelog: {what}: {row}")


def compare(folds: Iterable[Fold], table: dict[Row, Row]) -> list[str]:
    """Say how a table, whole rows by key, differs from its changelog, one fold a shard."""
    problems: list[str] = []
    told: dict[Row, Row] = {}
    for fold in folds:
        problems += fold.problems
        problems += [f"changelog: key {k} is in two shards" for k in told.keys() & fold.rows.keys()]
        told |= fold.rows
    for key in sorted(told.keys() | table.keys(), key=repr):
        if told.get(key) != table.get(key):
            says = f"the changelog has {told.get(key)}, the table {table.get(key)}"
            problems.append(f"changelog: key {key}: {says}")
    return problems
