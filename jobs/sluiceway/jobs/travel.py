"""Time travel under an alias, and beside the same table of now.

Apache Flink's planner takes a period with an alias for a temporal join, and then reads the table as
it is now; and it takes two scans of one name for one scan, at whatever times they are. Neither says
a word. So a table gets a subquery, and the table of now beside it an option without effect:

    … FROM t AS n JOIN t FOR SYSTEM_TIME AS OF TIMESTAMP '…' AS d ON …
    … FROM t /*+ OPTIONS('jdbcBinlogSlotName' = 'now') */ AS n
      JOIN (SELECT * FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '…') AS d ON …

Invariants: the text keeps its lines; a time that comes from a column is a temporal join and stays;
one table at two constant times is refused, for no hint at a period reaches the planner; so is a
time that is not known before the job runs.
"""

from sluiceway.catalog import UserError
from sluiceway.jobs.lexer import Token, code, identifier, matches
from sluiceway.jobs.relations import FOLLOWS, PERIOD, depths_of, is_from, relations_of

_NOW = (
    "CURRENT_TIMESTAMP",
    "CURRENT_ROW_TIMESTAMP",
    "LOCALTIMESTAMP",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "LOCALTIME",
    "NOW",
    "UNIX_TIMESTAMP",
)
_UNITS = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")
_OPERATORS = ("+", "-", "*", "/", "||")
_APART = "'jdbcBinlogSlotName' = 'now'"


def rewrite_time_travel(sql: str) -> str:
    """Make each table that is read at a constant time be read at that time."""
    parts = code(sql)
    if not any(matches(parts, at, PERIOD) for at in range(len(parts))):
        return sql
    _refuse_now(parts)
    return _set_apart(_enclose(sql, parts))


def _refuse_now(parts: list[Token]) -> None:
    """Refuse a time that Flink's planner cannot compute."""
    for at in range(len(parts)):
        begin = at + len(PERIOD)
        if matches(parts, at, PERIOD) and (end := _constant(parts, begin)):
            for token in parts[begin:end]:
                if token.is_word(*_NOW):
                    time = " ".join(each.text for each in parts[begin:end])
                    raise UserError(
                        f"FOR SYSTEM_TIME AS OF {time}: the planner takes no {token.text.upper()} "
                        "there, only a time that is written out: TIMESTAMP '2024-01-31 12:00:00'",
                        sqlstate="0A000",
                    )


def _enclose(sql: str, parts: list[Token]) -> str:
    """Put each table that has a constant time and an alias into a subquery."""
    edits: list[tuple[int, str]] = []
    for at in range(len(parts)):
        if not matches(parts, at, PERIOD):
            continue
        first, last = _path(parts, at), _constant(parts, at + len(PERIOD))
        if first < at and last > 0 and _is_alias(parts, last):
            edits += [(parts[first].start, "(SELECT * FROM "), (parts[last - 1].end, ")")]
    return _inserted(sql, edits)


def _set_apart(sql: str) -> str:
    """Mark the tables of now that stand beside their past."""
    parts = code(sql)
    times: dict[str, set[str]] = {}  # by the table's own name, without its database
    present: list[tuple[str, int]] = []  # and where its name ends
    for first, last in _tables(parts):
        end = first + 1
        while end + 1 < last and parts[end].text == ".":
            end += 2
        period = end
        while period < last and parts[period].kind == "hint":
            period += 1
        name = identifier(parts[end - 1])
        until = _constant(parts, period + len(PERIOD)) if matches(parts, period, PERIOD) else 0
        if until:
            words = [token.text for token in parts[period + len(PERIOD) : until]]
            times.setdefault(name, set()).add(" ".join(words))
        else:
            present.append((name, end))
    for name, of_name in times.items():
        if len(of_name) > 1:
            raise UserError(
                f"{name} is read at two times, {' and '.join(sorted(of_name))}, which Flink's "
                "planner takes for one: write one of them into a table first, or read it by "
                f"{name} /*+ OPTIONS('source.snapshot-lsn' = '…') */",
                sqlstate="0A000",
            )
    return _inserted(sql, [_mark(parts, end) for name, end in present if name in times])


def _tables(parts: list[Token]) -> list[tuple[int, int]]:
    """Return the tokens [first, last) of each relation of a query that begins with a name."""
    depths = depths_of(parts)
    found = []
    for at in range(len(parts)):
        if is_from(parts, at) and _is_of_query(parts, depths, at):
            relations = relations_of(parts, depths, at)
            found += [(each.first, each.last) for each in relations]
    return [each for each in found if parts[each[0]].kind in ("word", "quoted")]


def _is_of_query(parts: list[Token], depths: list[int], at: int) -> bool:
    """Tell FROM of a query from that of EXTRACT(DAY FROM day)."""
    for i in range(at - 1, -1, -1):
        if depths[i] < depths[at]:
            return False
        if depths[i] == depths[at] and parts[i].is_word("SELECT"):
            return True
    return False


def _mark(parts: list[Token], end: int) -> tuple[int, str]:
    """Return where to insert what, so that the table whose name ends there has the option."""
    hint = parts[end] if end < len(parts) and parts[end].kind == "hint" else None
    at = hint.text.upper().find("OPTIONS(") if hint is not None else -1
    if hint is not None and at >= 0:
        return hint.start + at + len("OPTIONS("), f"{_APART}, "
    return parts[end - 1].end, f" /*+ OPTIONS({_APART}) */"


def _inserted(sql: str, edits: list[tuple[int, str]]) -> str:
    for position, text in sorted(edits, reverse=True):
        sql = sql[:position] + text + sql[position:]
    return sql


def _path(parts: list[Token], at: int) -> int:
    """Return where the table before a token begins, the token itself where there is none."""
    end = at
    while end and parts[end - 1].kind == "hint":
        end -= 1
    if not end or parts[end - 1].kind not in ("word", "quoted"):
        return at
    first = end - 1
    while first >= 2 and parts[first - 1].text == ".":
        first -= 2
    return first


def _is_alias(parts: list[Token], at: int) -> bool:
    if at >= len(parts):
        return False
    return parts[at].kind == "quoted" or (
        parts[at].kind == "word" and not parts[at].is_word(*FOLLOWS)
    )


def _constant(parts: list[Token], at: int) -> int:
    """Return where an expression ends that names no column, 0 where there is none."""
    end = _operand(parts, at)
    while end and end < len(parts) and parts[end].text in _OPERATORS:
        end = _operand(parts, end + 1)
    return end


def _operand(parts: list[Token], at: int) -> int:
    """Return where an operand ends: a literal, a call, a function of now or what is in ()."""
    kinds = [token.kind for token in parts[at : at + 2]]
    if not kinds:
        return 0
    if parts[at].text == "(":
        return _closed(parts, at)
    if kinds == ["word", "string"]:
        return _interval(parts, at + 2) if parts[at].is_word("INTERVAL") else at + 2
    if kinds[0] in ("string", "number"):
        return at + 1
    if parts[at].is_word("PROCTIME"):
        return 0
    called = kinds[0] == "word" and len(kinds) > 1 and parts[at + 1].text == "("
    if called:
        return _closed(parts, at + 1)
    return at + 1 if parts[at].is_word(*_NOW) else 0


def _interval(parts: list[Token], at: int) -> int:
    """Return where the units of an interval end: DAY, DAY(3), DAY TO SECOND(3)."""
    end = at
    while end < len(parts) and parts[end].is_word(*_UNITS, "TO"):
        end += 1
        if end < len(parts) and parts[end].text == "(":
            end = _closed(parts, end)
    return end


def _closed(parts: list[Token], at: int) -> int:
    """Return what follows the parenthesis that closes the one at a token, 0 if none does."""
    depth = 0
    for end in range(at, len(parts)):
        depth += (parts[end].text == "(") - (parts[end].text == ")")
        if not depth:
            return end + 1
    return 0
