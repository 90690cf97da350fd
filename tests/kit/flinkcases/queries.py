"""Random SELECTs over tables that change: one text for Flink and DuckDB.

In a text `{facts}` stands for a table, a key of `LOOKUPS` for the clause that makes a join a
look-up, and `@asc`, `@desc` for orders with NULL first or last, as Flink has it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from kit.flinkcases.sources import FACTS, FIXED, OTHERS
from kit.flinkcases.values import Scope, Typed

_NOW = " FOR SYSTEM_TIME AS OF PROCTIME()"
LOOKUPS = {
    "@lookup": _NOW,
    "@sync": " /*+ OPTIONS('async' = 'false') */" + _NOW,
    "@cached": " /*+ OPTIONS('cache' = 'LRU', 'cacheSize' = '4', 'cacheTTLMs' = '60000') */" + _NOW,
}


@dataclass(frozen=True)
class Select:
    """A query; its columns are named `c0`, `c1`, … in the target, the first `keys` are the key."""

    kind: str
    text: str
    types: tuple[str, ...]
    keys: int
    sources: frozenset[str]
    per_row: bool = False
    moves: bool = False  # rows of one key may come from several tasks
    timed: bool = False
    twin: str = ""  # what DuckDB is asked, where it is another text

    @property
    def columns(self) -> dict[str, str]:
        """Return the types of the target's columns by name."""
        return {f"c{i}": kind for i, kind in enumerate(self.types)}


def select(
    kind: str,
    key: list[Typed],
    values: list[Typed],
    rest: str,
    *,
    per_row: bool = False,
    moves: bool = False,
) -> Select:
    """Put a query together; its sources are those that the text names."""
    columns = [*key, *values]
    text = "SELECT " + ", ".join(f"{e} AS c{i}" for i, (e, _) in enumerate(columns)) + f" {rest}"
    return Select(
        kind,
        text,
        tuple(t for _, t in columns),
        len(key),
        sources_of(text),
        per_row=per_row,
        moves=moves,
    )


def sources_of(text: str) -> frozenset[str]:
    """Return the tables that a text names."""
    names = ("facts", "others", "fixed", "lefts", "rights", "rates")
    return frozenset(name for name in names if "{" + name + "}" in text)


ID: Typed = ("a.id", "BIGINT")
GROUP: Typed = ("COALESCE(a.g, -1)", "INT")
GROUPS: list[Typed] = [
    GROUP,
    ("COALESCE(a.name, '?')", "STRING"),
    ("COALESCE(a.b, FALSE)", "BOOLEAN"),
    ("COALESCE(a.big, 1)", "BIGINT"),
    ("COALESCE(a.d, CAST(0.5 AS DECIMAL(10, 2)))", "DECIMAL(10, 2)"),
    ("COALESCE(a.ts, TIMESTAMP '2024-01-01 00:00:00.123')", "TIMESTAMP(3)"),
]


def _facts(rng: Random) -> Scope:
    return Scope.of(rng, a=FACTS.columns)


def _where(scope: Scope, chance: float = 0.5) -> str:
    return f" WHERE {scope.condition()}" if scope.rng.random() < chance else ""


def project(rng: Random) -> Select:
    """Columns of each row."""
    return select("project", [ID], _facts(rng).values(), "FROM {facts} AS a", per_row=True)


def filtered(rng: Random) -> Select:
    """Rows that pass a condition."""
    scope = _facts(rng)
    rest = f"FROM {{facts}} AS a WHERE {scope.condition()}"
    return select("filter", [ID], scope.values(), rest, per_row=True)


def looked_up(rng: Random) -> Select:
    """A look-up by the whole key of a table that does not change."""
    scope = Scope.of(rng, a=FACTS.columns, b=FIXED.columns)
    kind = rng.choice(["JOIN", "LEFT JOIN"])
    more = " AND b.w > 6" if rng.random() < 0.2 else ""
    how = rng.choice(["@lookup", "@lookup", "@sync", "@cached"])
    rest = f"FROM {{facts}} AS a {kind} {{fixed}}{how} AS b ON b.k = a.g{more}{_where(scope, 0.3)}"
    return select("look-up", [ID], scope.values(2), rest, per_row=True)


def aggregate(rng: Random) -> Select:
    """Groups by one or two columns, some of which leave by HAVING."""
    scope = _facts(rng)
    key = [GROUP] if rng.random() < 0.5 else rng.sample(GROUPS, rng.randint(1, 2))
    groups = ", ".join(text for text, _ in key)
    rest = f"FROM {{facts}} AS a{_where(scope)} GROUP BY {groups}"
    if rng.random() < 0.6:
        rest += " HAVING " + rng.choice(
            ["COUNT(*) > 2", "COUNT(*) < 3", "SUM(a.v) > 20", "MAX(a.v) < 15", "MIN(a.x) < 0.0"]
        )
    return select("aggregate", key, scope.aggregates(), rest)


def aggregate_twice(rng: Random) -> Select:
    """How many groups have how many rows."""
    inner = (
        f"SELECT a.g AS g, COUNT(*) AS n, SUM(a.v) AS s FROM {{facts}} AS a{_where(_facts(rng))}"
    )
    rest = f"FROM ({inner} GROUP BY a.g) AS q GROUP BY q.n"
    values = [("COUNT(*)", "BIGINT"), ("MAX(q.s)", "INT"), ("SUM(q.s)", "INT")]
    return select("aggregate twice", [("q.n", "BIGINT")], values, rest)


def top(rng: Random) -> Select:
    """The first rows of each group, with their rank as a part of the key or without."""
    scope = _facts(rng)
    column = rng.choice(["v", "d", "ts", "name", "x"])
    order = rng.choice(["@asc", "@desc"])
    inner = (
        f"SELECT *, ROW_NUMBER() OVER (PARTITION BY a.g ORDER BY a.{column} {order}, a.id ASC)"
        f" AS rn FROM {{facts}} AS a{_where(scope)}"
    )
    rest = f"FROM ({inner}) AS a WHERE a.rn <= {rng.randint(1, 3)}"
    if rng.random() < 0.5:
        return select("top-n", [GROUP, ("a.rn", "BIGINT")], [ID, *scope.values()], rest)
    return select("top-n without rank", [ID], scope.values(), rest, moves=True)


def joined(rng: Random) -> Select:
    """Two tables that change, joined by columns that change or by a key."""
    scope = Scope.of(rng, a=FACTS.columns, b=OTHERS.columns)
    kind = rng.choice(["JOIN", "LEFT JOIN", "FULL JOIN"])
    on = rng.choice(["a.g = b.k", "a.id = b.rid", "a.v = b.w AND a.name = b.label", "a.id = b.w"])
    key = [("COALESCE(a.id, -1)", "BIGINT"), ("COALESCE(b.rid, -1)", "BIGINT")]
    if kind == "JOIN":
        key = [ID, ("b.rid", "BIGINT")]
    rest = f"FROM {{facts}} AS a {kind} {{others}} AS b ON {on}{_where(scope, 0.4)}"
    return select(kind.lower(), key, scope.values(2), rest, moves=True)


def joined_by_key(rng: Random) -> Select:
    """Two tables by their keys: one row or none for each."""
    scope = Scope.of(rng, a=FACTS.columns, b=OTHERS.columns)
    kind = rng.choice(["JOIN", "LEFT JOIN"])
    rest = f"FROM {{facts}} AS a {kind} {{others}} AS b ON a.id = b.rid{_where(scope, 0.4)}"
    return select(f"{kind.lower()} by key", [ID], scope.values(2), rest)


def exists(rng: Random) -> Select:
    """Rows with, or without, a partner."""
    scope = _facts(rng)
    inner = f"SELECT b.k FROM {{others}} AS b WHERE b.w > {rng.randrange(12)}"
    condition = rng.choice(
        [
            f"a.g IN ({inner})",
            f"EXISTS ({inner} AND b.k = a.g)",
            f"NOT EXISTS ({inner} AND b.k = a.g)",
        ]
    )
    rest = f"FROM {{facts}} AS a WHERE {condition}"
    return select("exists", [ID], scope.values(), rest, moves=True)


def join_aggregate(rng: Random) -> Select:
    """Groups over a join."""
    scope = Scope.of(rng, a=FACTS.columns, b=OTHERS.columns)
    kind = rng.choice(["JOIN", "LEFT JOIN"])
    rest = f"FROM {{facts}} AS a {kind} {{others}} AS b ON a.g = b.k{_where(scope, 0.3)}"
    rest += " GROUP BY COALESCE(b.label, '?')"
    if rng.random() < 0.5:
        rest += f" HAVING COUNT(*) > {rng.randint(1, 4)}"
    return select(
        "join, aggregate", [("COALESCE(b.label, '?')", "STRING")], scope.aggregates(), rest
    )


def union(rng: Random) -> Select:
    """Rows of two tables, all or each once."""
    if rng.random() < 0.5:
        one = f"SELECT a.id AS k, a.v AS v, a.d AS d FROM {{facts}} AS a{_where(_facts(rng))}"
        scope = Scope.of(rng, b=OTHERS.columns)
        two = f"SELECT b.rid + 100, b.w, b.d FROM {{others}} AS b{_where(scope)}"
        columns = [("q.v", "INT"), ("q.d", "DECIMAL(10, 2)")]
        rest = f"FROM ({one} UNION ALL {two}) AS q"
        return select("union all", [("q.k", "BIGINT")], columns, rest, moves=True)
    one = f"SELECT COALESCE(a.g, -1) AS g FROM {{facts}} AS a{_where(_facts(rng))}"
    two = "SELECT COALESCE(b.k, -1) FROM {others} AS b"
    rest = f"FROM ({one} UNION {two}) AS q"
    return select("union", [("q.g", "INT")], [("q.g + 1", "INT")], rest)


def set_operation(rng: Random) -> Select:
    """Groups that are in both tables, or in the first alone."""
    word = rng.choice(["INTERSECT", "EXCEPT"])
    one = f"SELECT COALESCE(a.g, -1) AS g FROM {{facts}} AS a{_where(_facts(rng))}"
    two = f"SELECT COALESCE(b.k, -1) FROM {{others}} AS b WHERE b.w > {rng.randrange(15)}"
    rest = f"FROM ({one} {word} {two}) AS q"
    return select(word.lower(), [("q.g", "INT")], [("q.g + 1", "INT")], rest)


def rekeyed(rng: Random) -> Select:
    """A target whose key is another column, which moves from row to row."""
    scope = _facts(rng)
    rest = "FROM {facts} AS a WHERE a.u IS NOT NULL"
    if rng.random() < 0.5:
        rest += f" AND {scope.condition()}"
    return select("rekey", [("a.u", "INT")], [ID, *scope.values()], rest, moves=True)


KINDS: list[Callable[[Random], Select]] = [
    project,
    filtered,
    filtered,
    looked_up,
    looked_up,
    aggregate,
    aggregate,
    aggregate_twice,
    top,
    top,
    joined,
    joined,
    joined_by_key,
    exists,
    join_aggregate,
    union,
    set_operation,
    rekeyed,
]
