"""The one rewriter: the few things of Hologres' SQL that Apache Flink's parser refuses.

| written | run |
|---|---|
| `… FOR SYSTEM_TIME AS OF PROCTIME() …` | a look-up join on a hidden processing-time column |
| `t FOR SYSTEM_TIME AS OF TIMESTAMP '…' AS d` | a subquery that reads the past, under the alias |
| `CREATE CATALOG m WITH ('type'='mysql', …)` | nothing: the options are kept for the next line |
| `CREATE DATABASE c.d AS DATABASE m.s INCLUDING ALL TABLES` | `CALL c.sys.sync_database(…)` |
| `SET 'k' = 'v'`, `RESET`, `BEGIN STATEMENT SET … END` | calls of the table environment |

Invariants:
* Any other statement leaves as it came, byte for byte.
* A rewritten look-up join has as many lines as before, so the lines of Flink's errors stay true.
* `*` never shows the hidden column: stars of the query are replaced by the names they stand for.
"""

from dataclasses import dataclass, field

from sluiceway.catalog import UserError
from sluiceway.jobs.cdas import sync_call
from sluiceway.jobs.lexer import Token, code, find, identifier, option_pairs, unquoted_string
from sluiceway.jobs.lookups import ColumnsOf, rewrite_lookup_joins
from sluiceway.jobs.statements import Statement, StatementSet, Unit
from sluiceway.jobs.travel import rewrite_time_travel


@dataclass(frozen=True)
class Sql:
    """A statement for `execute_sql`."""

    text: str
    line: int = 1


@dataclass(frozen=True)
class SqlSet:
    """INSERTs for one `StatementSet`."""

    inserts: tuple[Sql, ...]
    line: int = 1


@dataclass(frozen=True)
class SetOption:
    """A setting of the session; without a key the request to list them all."""

    key: str | None
    value: str = ""
    line: int = 1


@dataclass(frozen=True)
class ResetOption:
    """A setting back to its default; without a key all of them."""

    key: str | None
    line: int = 1


@dataclass(frozen=True)
class KnownSource:
    """A MySQL catalog was noted; nothing runs."""

    name: str
    line: int = 1


Command = Sql | SqlSet | SetOption | ResetOption | KnownSource


@dataclass
class Rewriter:
    """Statements in, commands out; remembers the MySQL catalogs of the session."""

    columns_of: ColumnsOf
    sources: dict[str, dict[str, str]] = field(default_factory=dict)

    def rewrite(self, unit: Unit) -> Command:
        """Return what to run for one unit of a file."""
        if isinstance(unit, StatementSet):
            inserts = tuple(self._insert(statement) for statement in unit.statements)
            return SqlSet(inserts, unit.line)
        words = [token.text.upper() for token in code(unit.text)[:8]]
        if words[0] in ("SET", "RESET"):
            return _setting(unit)
        if words[:2] == ["CREATE", "CATALOG"]:
            return self._catalog(unit)
        if words[:2] == ["CREATE", "DATABASE"] and find(code(unit.text), "AS", "DATABASE") > 0:
            return Sql(sync_call(unit.text, self.sources), unit.line)
        return self._insert(unit)

    def _insert(self, statement: Statement) -> Sql:
        text = rewrite_time_travel(statement.text)
        return Sql(rewrite_lookup_joins(text, self.columns_of), statement.line)

    def _catalog(self, unit: Statement) -> Command:
        parts = code(unit.text)
        options = option_pairs(parts, find(parts, "WITH"))
        if options.get("type") != "mysql":
            return Sql(unit.text, unit.line)
        name = next(t for t in parts[2:] if not t.is_word("IF", "NOT", "EXISTS"))
        self.sources[identifier(name)] = options
        return KnownSource(identifier(name), unit.line)


def _setting(unit: Statement) -> SetOption | ResetOption:
    """Parse SET 'k' = 'v', SET k.l = v, SET, RESET 'k' and RESET."""
    parts = code(unit.text)
    is_set = parts[0].is_word("SET")
    equals = next((i for i, token in enumerate(parts) if token.text == "="), len(parts))
    key = _unquoted(unit.text, parts[1:equals])
    if not is_set:
        return ResetOption(key or None, unit.line)
    if not key:
        return SetOption(None, line=unit.line)
    if equals >= len(parts) - 1:
        raise UserError(f"SET {key} gives no value: write SET '{key}' = '…'", sqlstate="42601")
    return SetOption(key, _unquoted(unit.text, parts[equals + 1 :]), unit.line)


def _unquoted(text: str, parts: list[Token]) -> str:
    if len(parts) == 1 and parts[0].kind == "string":
        return unquoted_string(parts[0])
    return text[parts[0].start : parts[-1].end] if parts else ""
