"""Look-up joins as the tutorial writes them: `FOR SYSTEM_TIME AS OF PROCTIME()`.

Apache Flink takes no function call there, only a time attribute of the left side. So the first
relation of the query becomes a subquery with a processing-time column more, and `*` is spelled out
so that nobody sees it:

    SELECT o.*, d.n FROM orders AS o LEFT JOIN d FOR SYSTEM_TIME AS OF PROCTIME() AS d ON …
    SELECT o.`id`, …, d.n FROM (SELECT *, PROCTIME() AS `_proctime` FROM orders AS o) AS o
      LEFT JOIN d FOR SYSTEM_TIME AS OF o.`_proctime` AS d ON …

Invariants: the text keeps its lines; text without such a join is returned as it is.
"""

from collections.abc import Callable, Sequence

from sluiceway.catalog import UserError
from sluiceway.jobs.lexer import Token, code, identifier, matches, quote
from sluiceway.jobs.relations import depths_of, is_from, relations_of

HIDDEN = "`_proctime`"
ColumnsOf = Callable[[str], Sequence[str]]  # the columns of what may stand after FROM

_PROCTIME = ("FOR", "SYSTEM_TIME", "AS", "OF", "PROCTIME", "(", ")")


def rewrite_lookup_joins(sql: str, columns_of: ColumnsOf) -> str:
    """Give each query block that joins AS OF PROCTIME() a hidden processing-time column."""
    parts = code(sql)
    depths = depths_of(parts)
    edits: dict[int, tuple[int, str]] = {}  # start -> (end, replacement)
    for at in range(len(parts)):
        if not matches(parts, at, _PROCTIME):
            continue
        from_at, select_at = _block(parts, depths, at)
        items = relations_of(parts, depths, from_at)
        left, alias = items[0], items[0].alias(parts)
        start, end = parts[left.first].start, parts[left.last - 1].end
        relation = sql[start:end]
        if start not in edits:
            hidden = f"(SELECT *, PROCTIME() AS {HIDDEN} FROM {relation}) AS {alias}"
            edits[start] = (end, hidden)
            names = [item.alias(parts) for item in items]
            _expand_stars(parts[select_at:from_at], names, columns_of(relation), edits)
        call = parts[at + 4]
        edits[call.start] = (parts[at + 6].end, f"{alias}.{HIDDEN}")
    return _apply(sql, edits)


def _apply(sql: str, edits: dict[int, tuple[int, str]]) -> str:
    for start in sorted(edits, reverse=True):
        end, replacement = edits[start]
        sql = sql[:start] + replacement + sql[end:]
    return sql


def _block(parts: list[Token], depths: list[int], at: int) -> tuple[int, int]:
    """Return where FROM and SELECT of the query around a token stand."""
    from_at = select_at = -1
    for i in range(at, -1, -1):
        if depths[i] < depths[at]:
            break
        if depths[i] == depths[at]:
            if from_at < 0 and is_from(parts, i):
                from_at = i
            elif parts[i].is_word("SELECT"):
                select_at = i
                break
    if from_at < 0 or select_at < 0:
        raise UserError(
            "FOR SYSTEM_TIME AS OF PROCTIME() stands outside of SELECT … FROM", sqlstate="42601"
        )
    return from_at, select_at


def _expand_stars(
    select: list[Token],
    aliases: list[str],
    columns: Sequence[str],
    edits: dict[int, tuple[int, str]],
) -> None:
    """Replace `*` and `left.*` of a select list by the columns they stood for."""
    left, *others = aliases
    names = ", ".join(f"{left}.{quote(name)}" for name in columns)
    rest = "".join(f", {other}.*" for other in others)
    chosen = [token for token in select if token.kind != "hint"]
    depth = 0
    for i in range(1, len(chosen)):
        star, before = chosen[i], chosen[i - 1]
        depth += (star.text == "(") - (star.text == ")")
        if star.text != "*" or depth:
            continue
        if before.text == "," or before.is_word("SELECT", "ALL", "DISTINCT"):
            edits[star.start] = (star.end, names + rest)
        elif before.text == "." and identifier(chosen[i - 2]) == _name(left):
            edits[chosen[i - 2].start] = (star.end, names)


def _name(alias: str) -> str:
    """Return what an alias, quoted or not, is called."""
    return identifier(code(alias)[0])
