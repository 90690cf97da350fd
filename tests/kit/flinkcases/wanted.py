"""What a target must hold: DuckDB's answers, and what a delete strategy makes of their history.

`Wanted.rows` has every row that must be there; a cell that is `ANY` is not compared. Rows beyond
these are of the kind that `beyond` says: none may be there, any, or such without values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import duckdb

from kit.flinkcases.cases import DELETES_ROWS, IGNORE, TO_NULL, Case
from kit.flinkcases.changes import State
from kit.flinkcases.queries import LOOKUPS, Select
from kit.flinkcases.sources import SOURCES, Row

ANY: Any = type("Any", (), {"__repr__": lambda self: "ANY"})()
Rows = dict[Row, Row]  # by key: the values that are not of the key


@dataclass(frozen=True)
class Wanted:
    """The rows of a target after some states of its sources."""

    rows: Rows
    beyond: Literal["nothing", "anything", "nulls"] = "nothing"

    def differences(self, got: Mapping[Row, Row]) -> list[str]:
        """Say how a target differs from what it must be."""
        found = []
        for key, values in self.rows.items():
            if key not in got:
                found.append(f"row {key} is missing: {values}")
            elif not _same(values, got[key]):
                found.append(f"row {key} should be {values}, is {got[key]}")
        for key in got.keys() - self.rows.keys():
            if (
                self.beyond == "nothing"
                or self.beyond == "nulls"
                and any(v is not None for v in got[key])
            ):
                found.append(f"row {key} should not be there: {got[key]}")
        return sorted(found)


def _same(wanted: Row, got: Row) -> bool:
    return all(w is ANY or w == g for w, g in zip(wanted, got, strict=True))


class Answers:
    """DuckDB over the rows after one commit."""

    def __init__(self, state: State, sources: frozenset[str]) -> None:
        self._duck = duckdb.connect()
        self._duck.execute("SET threads = 1")
        for name in sources:
            self._duck.register(name, SOURCES[name].arrow(state.rows(name)))

    def ask(self, query: Select) -> Rows:
        """Return the answer of a query by its key; an error if two rows of one key differ."""
        found: Rows = {}
        for row in self._duck.execute(duck_text(query)).fetchall():
            key, values = row[: query.keys], row[query.keys :]
            if found.setdefault(key, values) != values:
                raise ValueError(f"{query}: two rows of key {key}: {found[key]} and {values}")
        return found

    def close(self) -> None:
        """Forget the rows."""
        self._duck.close()


def duck_text(query: Select) -> str:
    """Return a query as DuckDB is asked."""
    text = query.twin or query.text
    for mark in LOOKUPS:
        text = text.replace(mark, "")
    text = text.replace("@asc", "ASC NULLS FIRST").replace("@desc", "DESC NULLS LAST")
    return text.format_map({name: f'"{name}"' for name in SOURCES})


def wanted(case: Case, answers: Sequence[Answers]) -> Wanted:
    """Return what a target must hold when its job has seen these states, one after the other."""
    histories = []
    for each in case.selects:
        asked = answers if each.per_row else answers[-1:]
        histories.append([answer.ask(each) for answer in asked])
    if not case.partial:
        return _whole(case, histories[0])
    if case.strategy in DELETES_ROWS:
        return _deleting(case, histories[0], histories[1][-1])
    return _owned(case, histories)


def _whole(case: Case, history: list[Rows]) -> Wanted:
    """Rows written whole."""
    final, [query] = history[-1], case.selects
    if case.strategy in DELETES_ROWS:
        return Wanted(final)
    if not query.per_row:
        return Wanted(final, "anything" if case.strategy == IGNORE else "nulls")
    return Wanted(_kept(case, history, len(query.types) - query.keys))


def _kept(case: Case, history: list[Rows], width: int) -> Rows:
    """Every row that was ever there: as it was last, or without values if it has gone."""
    kept = {key: values for state in history for key, values in state.items()}
    if case.strategy == TO_NULL:
        return {key: history[-1].get(key, (None,) * width) for key in kept}
    return kept


def _owned(case: Case, histories: list[list[Rows]]) -> Wanted:
    """Parts of rows, none of which a delete takes away."""
    parts = []
    for (_, columns), history in zip(case.parts(), histories, strict=True):
        parts.append((_kept(case, history, len(columns)), (None,) * len(columns)))
    keys = {key for rows, _ in parts for key in rows}
    return Wanted({key: sum((rows.get(key, empty) for rows, empty in parts), ()) for key in keys})


def _deleting(case: Case, history: list[Rows], fixed: Rows) -> Wanted:
    """A moving part that deletes rows, and a part that was there before."""
    (_, first), (_, second) = case.parts()
    final, ever = history[-1], {key for state in history for key in state}
    rows: Rows = {key: (None,) * len(first) + values for key, values in fixed.items()}
    for key in ever:
        went = _went(history, key)
        if key in final:
            rest = (ANY,) * len(second) if went else fixed.get(key, (None,) * len(second))
            rows[key] = final[key] + rest
        else:
            rows.pop(key, None)
    return Wanted(rows)


def _went(history: list[Rows], key: Row) -> bool:
    there = [key in state for state in history]
    return any(a and not b for a, b in zip(there, there[1:], strict=False))


def steady(case: Case, answers: Sequence[Answers]) -> set[Row]:
    """Return the keys that never leave once they are there, of a query whose history is known."""
    query = case.selects[0]
    if not query.per_row:
        return set()
    history = [answer.ask(query) for answer in answers]
    return {key for key in history[-1] if not _went(history, key)}
