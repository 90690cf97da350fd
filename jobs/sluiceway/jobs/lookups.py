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
from dataclasses import dataclass

from sluiceway.catalog import UserError
from sluiceway.jobs.lexer import Token, code, matches, quote

HIDDEN = "`_proctime`"
ColumnsOf = Callable[[str], Sequence[str]]  # the columns of what may stand after FROM

_JOINERS = ("JOIN", "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "NATURAL")
_FROM_ENDS = ("WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "QUALIFY")
_SET_OPERATORS = ("UNION", "INTERSECT", "EXCEPT", "MINUS")
_PROCTIME = ("FOR", "SYSTEM_TIME", "AS", "OF", "PROCTIME", "(", ")")


@dataclass(frozen=True)
class _Item:
    """One relation of a FROM clause: tokens [first, last) and the name it goes by."""

    first: int
    last: int
    alias: str


def rewrite_lookup_joins(sql: str, columns_of: ColumnsOf) -> str:
    """Give each query block that joins AS OF PROCTIME() a hidden processing-time column."""
    parts = code(sql)
    depths = _depths(parts)
    edits: dict[int, tuple[int, str]] = {}  # start -> (end, replacement)
    for at in range(len(parts)):
        if not matches(parts, at, _PROCTIME):
            continue
        from_at, select_at = _block(parts, depths, at)
        items = _items(parts, depths, from_at)
        left = items[0]
        start, end = parts[left.first].start, parts[left.last - 1].end
        relation = sql[start:end]
        if start not in edits:
            hidden = f"(SELECT *, PROCTIME() AS {HIDDEN} FROM {relation}) AS {left.alias}"
            edits[start] = (end, hidden)
            _expand_stars(parts, select_at, from_at, items, columns_of(relation), edits)
        call = parts[at + 4]
        edits[call.start] = (parts[at + 6].end, f"{left.alias}.{HIDDEN}")
    return _apply(sql, edits)


def _apply(sql: str, edits: dict[int, tuple[int, str]]) -> str:
    for start in sorted(edits, reverse=True):
        end, replacement = edits[start]
        sql = sql[:start] + replacement + sql[end:]
    return sql


def _depths(parts: list[Token]) -> list[int]:
    """Return the depth of parentheses at each token; both parentheses count as outside."""
    depths, depth = [], 0
    for token in parts:
        depth -= token.text == ")"
        depths.append(depth)
        depth += token.text == "("
    return depths


def _block(parts: list[Token], depths: list[int], at: int) -> tuple[int, int]:
    """Return where FROM and SELECT of the query around a token stand."""
    from_at = select_at = -1
    for i in range(at, -1, -1):
        if depths[i] < depths[at]:
            break
        if depths[i] == depths[at]:
            if from_at < 0 and parts[i].is_word("FROM"):
                from_at = i
            elif parts[i].is_word("SELECT"):
                select_at = i
                break
    if from_at < 0 or select_at < 0:
        raise UserError(
            "FOR SYSTEM_TIME AS OF PROCTIME() stands outside of SELECT … FROM", sqlstate="42601"
        )
    return from_at, select_at


def _items(parts: list[Token], depths: list[int], from_at: int) -> list[_Item]:
    """Return the relations of the FROM clause that starts at a token."""
    items: list[_Item] = []
    depth, first = depths[from_at], from_at + 1
    in_relation = True
    for i in range(from_at + 1, len(parts) + 1):
        token = parts[i] if i < len(parts) and depths[i] >= depth else None
        if token is not None and depths[i] > depth:
            continue
        ends = (
            token is None
            or token.text == ","
            or token.is_word("ON", "USING", *_JOINERS, *_FROM_ENDS, *_SET_OPERATORS)
        )
        if ends and in_relation and i > first:
            items.append(_Item(first, i, _alias(parts, first, i)))
            in_relation = False
        if token is None or token.is_word(*_FROM_ENDS, *_SET_OPERATORS):
            break
        if token.text == "," or token.is_word("JOIN"):
            in_relation, first = True, i + 1
    return items


def _alias(parts: list[Token], first: int, last: int) -> str:
    """Return the name by which the query calls a relation."""
    item = [token for token in parts[first:last] if token.kind != "hint"]
    for i in range(len(item)):
        if matches(item, i, ("FOR", "SYSTEM_TIME", "AS", "OF")):
            after = next((j for j in range(i, len(item)) if item[j].text == ")"), len(item) - 1)
            item = item[after + 1 :] or item[:i]
            break
    if item[-1].kind in ("word", "quoted"):
        return item[-1].text
    text = " ".join(token.text for token in item)
    raise UserError(f"give the relation {text!r} a name: … AS name", sqlstate="42601")


def _expand_stars(
    parts: list[Token],
    select_at: int,
    from_at: int,
    items: list[_Item],
    columns: Sequence[str],
    edits: dict[int, tuple[int, str]],
) -> None:
    """Replace `*` and `left.*` of the select list by the columns they stood for."""
    left = items[0].alias
    names = ", ".join(f"{left}.{quote(name)}" for name in columns)
    others = "".join(f", {item.alias}.*" for item in items[1:])
    depth = 0
    for i in range(select_at + 1, from_at):
        depth += (parts[i].text == "(") - (parts[i].text == ")")
        if parts[i].text != "*" or depth:
            continue
        if parts[i - 1].text == "," or parts[i - 1].is_word("SELECT", "ALL", "DISTINCT"):
            edits[parts[i].start] = (parts[i].end, names + others)
        elif parts[i - 1].text == "." and parts[i - 2].text == left:
            edits[parts[i - 2].start] = (parts[i].end, names)
