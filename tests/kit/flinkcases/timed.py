"""Random SELECTs over event time, each with a text of its own for DuckDB."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from kit.flinkcases.queries import Select, select
from kit.flinkcases.sources import FAR, LEFT, RATES
from kit.flinkcases.values import Scope, Typed

EVENT = {"id": "BIGINT", "k": "INT", "v": "INT"}
_ID: Typed = ("a.id", "BIGINT")


def _near(name: str) -> str:
    return f"(SELECT * FROM {{{name}}} WHERE id < {FAR})"


def _timed(made: Select, twin: str = "") -> Select:
    return replace(made, timed=True, twin=twin)


def window(rng: Random) -> Select:
    """Counts and sums of tumbling windows, by group or not."""
    table, minutes = rng.choice(["lefts", "rights"]), rng.choice([5, 10, 30])
    aggregates = Scope.of(rng, a=EVENT).aggregates()
    grouped = rng.random() < 0.6
    key: list[Typed] = [("a.window_start", "TIMESTAMP(3)")]
    if grouped:
        key.append(("COALESCE(a.k, -1)", "INT"))
    groups = "GROUP BY a.window_start" + (", COALESCE(a.k, -1)" if grouped else "")
    size = f"INTERVAL '{minutes}' MINUTE"
    windows = f"TABLE(TUMBLE({_near(table)}, DESCRIPTOR(ts), {size}))"
    having = f" HAVING COUNT(*) > {rng.randint(1, 2)}" if rng.random() < 0.3 else ""
    end = groups.replace("a.window_start", "a.window_start, a.window_end", 1)
    made = select("window", key, aggregates, f"FROM {windows} AS a {end}{having}")
    buckets = f"(SELECT *, time_bucket({size}, ts) AS window_start FROM {{{table}}})"
    twin = select("window", key, aggregates, f"FROM {buckets} AS a {groups}{having}")
    return _timed(made, twin.text)


def deduplicated(rng: Random) -> Select:
    """The first or the last event of each key, by event time."""
    table, order = rng.choice(["lefts", "rights"]), rng.choice(["ASC", "DESC"])
    values = [_ID, *Scope.of(rng, a=EVENT).values(), ("CAST(a.ts AS TIMESTAMP(3))", "TIMESTAMP(3)")]
    numbered = (
        f"SELECT *, ROW_NUMBER() OVER (PARTITION BY a.k ORDER BY a.ts {order}) AS rn"
        f" FROM {_near(table)} AS a"
    )
    rest = f"FROM ({numbered}) AS a WHERE a.rn = 1"
    return _timed(select("deduplication", [("a.k", "INT")], values, rest))


def interval(rng: Random) -> Select:
    """Events of two tables that are near in time."""
    scope = Scope.of(rng, a=EVENT, b=EVENT)
    kind = rng.choice(["JOIN", "JOIN", "LEFT JOIN"])
    before, after = rng.choice([0, 5, 15]), rng.choice([1, 10, 20])
    on = (
        f"a.k = b.k AND b.ts BETWEEN a.ts - INTERVAL '{before}' MINUTE"
        f" AND a.ts + INTERVAL '{after}' MINUTE"
    )
    key = [_ID, ("COALESCE(b.id, -1)", "BIGINT")]
    near = f"FROM {_near('lefts')} AS a {kind} {_near('rights')} AS b ON {on}"
    values = scope.values(2)
    return _timed(select(f"interval {kind.lower()}", key, values, near))


def temporal(rng: Random) -> Select:
    """Each event with the version of its key that was valid then."""
    scope = Scope.of(rng, a=EVENT, b={k: t for k, t in RATES.columns.items() if k != "ts"})
    kind = rng.choice(["JOIN", "LEFT JOIN"])
    values = scope.values(2)
    near = f"{_near(LEFT.name)} AS a {kind} {{rates}}"
    made = select(
        f"temporal {kind.lower()}",
        [_ID],
        values,
        f"FROM {near} FOR SYSTEM_TIME AS OF a.ts AS b ON a.k = b.k",
    )
    versions = "(SELECT *, LEAD(ts) OVER (PARTITION BY k ORDER BY ts) AS until FROM {rates})"
    on = "a.k = b.k AND a.ts >= b.ts AND (b.until IS NULL OR a.ts < b.until)"
    twin = select("", [_ID], values, f"FROM {{lefts}} AS a {kind} {versions} AS b ON {on}")
    return _timed(made, twin.text)


KINDS: list[Callable[[Random], Select]] = [window, deduplicated, interval, temporal]
