"""The kit of random Flink queries itself: its rows, its answers, what it finds."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from kit.flinkcases import PER_WORLD, queries, timed
from kit.flinkcases.cases import IGNORE, ON_KEY, STANDARD, TO_NULL, Case, World, world
from kit.flinkcases.changes import State, story
from kit.flinkcases.fold import Event, Fold, compare
from kit.flinkcases.queries import ID, Select, select
from kit.flinkcases.sources import (
    FACTS,
    FAR,
    FIXED,
    LEFT,
    OTHERS,
    RATES,
    SOURCES,
    Change,
    Layout,
    Row,
)
from kit.flinkcases.wanted import ANY, Answers, Wanted, steady, wanted

WORLDS = 2


def world_of(number: int) -> World:
    return world(range(number * PER_WORLD, (number + 1) * PER_WORLD))


def fact(key: int, v: int | None) -> Row:
    return (key, 1, None, v, *(None,) * (len(FACTS.columns) - 4))


def answers(*states: dict[str, list[Row]]) -> list[Answers]:
    made = []
    for rows in states:
        state = State()
        for table, found in rows.items():
            for row in found:
                state.apply(table, Change(0, row))
        made.append(Answers(state, frozenset(["facts", "fixed", "others"])))
    return made


BIG = select("big", [ID], [("a.v", "INT")], "FROM {facts} AS a WHERE a.v > 5", per_row=True)
SUM = select("sum", [("a.g", "INT")], [("SUM(a.v)", "INT")], "FROM {facts} AS a GROUP BY a.g")
LABELS = select(
    "labels", [("CAST(b.k AS BIGINT)", "BIGINT")], [("b.w", "INT")], "FROM {fixed} AS b",
    per_row=True,
)  # fmt: skip


def case(strategy: str, *selects: Select) -> Case:
    return Case(0, selects, strategy, {}, Layout(), "")


# Rows


@pytest.mark.parametrize("number", range(WORLDS))
def test_a_case_alone_is_what_it_is_among_others(number: int) -> None:
    together = world_of(number)
    for each in together.cases:
        alone = world([each.number])
        assert alone.story == together.story and alone.settings == together.settings
        assert vars(alone.cases[0]) == vars(each)


@pytest.mark.parametrize("seed", range(20))
def test_the_rows_keep_their_rules(seed: int) -> None:
    told = story(Random(seed))
    for state in told.states:
        taken = [row[2] for row in state.rows(FACTS.name) if row[2] is not None]
        assert len(set(taken)) == len(taken)
        assert all(row[0] < FAR for row in state.rows(LEFT.name))
    versions = told.states[-1].rows(RATES.name)
    for k in {row[0] for row in versions}:
        times = [row[2] for row in versions if row[0] == k]
        assert times == sorted(set(times))
    assert told.commits[-1].changes[LEFT.name][-1].row[0] >= FAR
    assert 0 < told.before < len(told.commits)
    assert all(FIXED.name not in commit.changes for commit in told.commits[1:])


def test_changes_are_of_all_kinds() -> None:
    seen = Counter(
        change.op
        for seed in range(5)
        for commit in story(Random(seed)).commits
        for change in commit.changes.get(OTHERS.name, [])
    )
    assert seen.keys() == {0, 1, 2, 3}


def test_duckdb_answers_each_kind_of_query() -> None:
    asked = Answers(story(Random(3)).states[-1], frozenset(SOURCES))
    for make in {*queries.KINDS, *timed.KINDS}:
        assert any([asked.ask(make(Random(seed))) for seed in range(6)]), make.__name__
    asked.close()


# Answers


def test_an_answer_with_two_rows_of_a_key_is_an_error() -> None:
    [asked] = answers({"facts": [fact(1, 7), fact(2, 8)]})
    with pytest.raises(ValueError, match="two rows of key"):
        asked.ask(select("bad", [("a.g", "INT")], [("a.v", "INT")], "FROM {facts} AS a"))


LEFT_AND_CHANGED = [
    {"facts": [fact(1, 7), fact(2, 8), fact(3, 1)]},
    {"facts": [fact(1, 2), fact(2, 9), fact(3, 1)]},
]


@pytest.mark.parametrize(
    ("strategy", "rows"),
    [
        (STANDARD, {(2,): (9,)}),
        (ON_KEY, {(2,): (9,)}),
        (IGNORE, {(1,): (7,), (2,): (9,)}),
        (TO_NULL, {(1,): (None,), (2,): (9,)}),
    ],
)
def test_each_strategy_has_its_rows(strategy: str, rows: dict[Row, Row]) -> None:
    told = answers(*LEFT_AND_CHANGED)
    assert wanted(case(strategy, BIG), told) == Wanted(rows)
    assert steady(case(strategy, BIG), told) == {(2,)}


@pytest.mark.parametrize(
    ("strategy", "beyond"), [(STANDARD, "nothing"), (IGNORE, "anything"), (TO_NULL, "nulls")]
)
def test_a_query_without_a_known_history_is_compared_by_key(strategy: str, beyond: str) -> None:
    want = wanted(case(strategy, SUM), answers(*LEFT_AND_CHANGED))
    assert (want.rows, want.beyond) == ({(1,): (12,)}, beyond)


FIXED_ROWS: list[Row] = [(1, 10, None), (2, 20, None), (4, 40, None)]


@pytest.mark.parametrize(
    ("strategy", "rows"),
    [
        (STANDARD, {(2,): (9, 20), (4,): (None, 40)}),
        (IGNORE, {(1,): (7, 10), (2,): (9, 20), (4,): (None, 40)}),
        (TO_NULL, {(1,): (None, 10), (2,): (9, 20), (4,): (None, 40)}),
    ],
)
def test_parts_of_rows(strategy: str, rows: dict[Row, Row]) -> None:
    told = answers(*({**state, "fixed": FIXED_ROWS} for state in LEFT_AND_CHANGED))
    assert wanted(case(strategy, BIG, LABELS), told).rows == rows


def test_what_time_decides_is_not_compared() -> None:
    states = [{"facts": [fact(1, v)], "fixed": FIXED_ROWS[:1]} for v in (7, 2, 8)]
    want = wanted(case(STANDARD, BIG, LABELS), answers(*states))
    assert want.rows == {(1,): (8, ANY)}
    assert not want.differences({(1,): (8, None)}) and not want.differences({(1,): (8, 10)})


# What is wrong is found


@pytest.mark.parametrize(
    ("got", "found"),
    [
        ({(1,): ("a",), (2,): ("b",)}, ""),
        ({(1,): ("a",)}, "is missing"),
        ({(1,): ("a",), (2,): (None,)}, "should be"),
        ({(1,): ("a",), (2,): ("b",), (3,): ("c",)}, "should not be there"),
    ],
)
def test_a_wrong_target_is_found(got: dict[Row, Row], found: str) -> None:
    problems = Wanted({(1,): ("a",), (2,): ("b",)}).differences(got)
    assert (found in problems[0]) if found else not problems


def test_rows_beyond_are_of_the_kind_that_may_be() -> None:
    got: dict[Row, Row] = {(1,): ("a",), (2,): (None,)}
    assert not Wanted({}, "anything").differences(got)
    assert Wanted({}, "nulls").differences(got) == ["row (1,) should not be there: ('a',)"]


def test_a_sink_that_keeps_what_left_is_found_in_the_worlds() -> None:
    """The fault that the kit was made for: rows stay that IGNORE_DELETE would keep."""
    found = 0
    for number in range(WORLDS):
        told = world_of(number)
        asked = [Answers(state, told.sources) for state in told.story.seen()]
        for each in told.cases:
            if each.strategy == STANDARD and all(query.per_row for query in each.selects):
                kept = wanted(replace(each, strategy=IGNORE), asked).rows
                found += bool(wanted(each, asked).differences(kept))
    assert found > WORLDS


A, B, C = ("k", 1), ("k", 2), ("l", 1)


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([(5, A), (3, A), (7, B), (5, C), (2, B)], ""),
        ([(5, A), (5, B)], "5 on a living key"),
        ([(5, A), (3, B), (7, B)], "3 is not the row that is there"),
        ([(3, A), (7, A)], "3 is not the row that is there"),
        ([(5, A), (3, A), (5, C), (7, B)], "3 is followed by 5"),
        ([(5, A), (5, C), (3, A), (7, C)], "7 does not follow its 3"),
        ([(5, A), (7, B)], "7 does not follow its 3"),
        ([(5, A), (2, B)], "2 is not the row that is there"),
        ([(2, A)], "2 is not the row that is there"),
        ([(5, A), (3, A)], "3 is the last event"),
        ([(4, A)], "4 is no event"),
    ],
)
def test_a_wrong_changelog_is_found(events: list[Event], found: str) -> None:
    fold = Fold(1)
    fold.take(events)
    fold.end()
    assert (found in fold.problems[0]) if found else not fold.problems


def test_a_changelog_that_is_not_the_table_is_found() -> None:
    fold, other = Fold(1), Fold(1)
    fold.take([(5, A), (5, C)])
    other.take([(5, B)])
    assert not compare([fold], {("k",): A, ("l",): C})
    assert compare([fold], {("k",): A}) and compare([fold], {("k",): B, ("l",): C})
    assert "is in two shards" in compare([fold, other], {("k",): B, ("l",): C})[0]
