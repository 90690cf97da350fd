"""Random expressions and conditions whose text means the same to Flink and to DuckDB."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

Typed = tuple[str, str]  # an expression and its SQL type


@dataclass(frozen=True)
class Scope:
    """The columns that an expression may name: `alias.name` by SQL type."""

    rng: Random
    columns: dict[str, str]

    @staticmethod
    def of(rng: Random, **tables: Mapping[str, str]) -> "Scope":
        """Return the columns of some tables by their aliases."""
        named = {f"{a}.{c}": kind for a, columns in tables.items() for c, kind in columns.items()}
        return Scope(rng, named)

    def column(self, kind: str) -> str | None:
        """Return a column of a type, if there is one."""
        found = [name for name, each in self.columns.items() if each == kind]
        return self.rng.choice(found) if found else None

    def values(self, least: int = 1, most: int = 4) -> list[Typed]:
        """Return some expressions."""
        return [self.value() for _ in range(self.rng.randint(least, most))]

    def value(self) -> Typed:
        """Return an expression that depends on a column."""
        name, kind = self.rng.choice(list(self.columns.items()))
        if self.rng.random() < 0.5:
            return name, kind
        number = self.rng.randrange(1, 20)
        flag, integer = self.column("BOOLEAN"), self.column("INT")
        choices: dict[str, list[Typed]] = {
            "INT": [
                (f"{name} + {number}", "INT"),
                (f"COALESCE({name}, -{number})", "INT"),
                (f"CASE WHEN {self.condition()} THEN {name} ELSE {integer or number} END", "INT"),
                (f"CAST({name} AS STRING)", "STRING"),
                (f"NULLIF({name}, {number})", "INT"),
            ],
            "BIGINT": [(f"{name} + 1", "BIGINT"), (f"-{name}", "BIGINT")],
            "STRING": [
                (f"UPPER({name})", "STRING"),
                (f"{name} || '!'", "STRING"),
                (f"COALESCE({name}, '?')", "STRING"),
                (f"CHAR_LENGTH({name})", "INT"),
            ],
            "DECIMAL(10, 2)": [
                (f"{name} + CAST(1.25 AS DECIMAL(10, 2))", "DECIMAL(12, 2)"),
                (f"ABS({name})", "DECIMAL(10, 2)"),
            ],
            "DOUBLE": [(f"{name} * 2", "DOUBLE"), (f"COALESCE({name}, 0.5)", "DOUBLE")],
            "BOOLEAN": [
                (f"NOT {name}", "BOOLEAN"),
                (f"{name} IS TRUE", "BOOLEAN"),
                (f"{flag} AND {name} IS NULL", "BOOLEAN"),
            ],
            "TIMESTAMP(3)": [(f"{name} + INTERVAL '1' HOUR", "TIMESTAMP(3)")],
        }
        return self.rng.choice(choices[kind])

    def condition(self, depth: int = 0) -> str:
        """Return a condition, three-valued like its columns."""
        rng = self.rng
        if depth < 2 and rng.random() < 0.35:
            word = rng.choice(["AND", "OR"])
            return f"({self.condition(depth + 1)} {word} {self.condition(depth + 1)})"
        name, kind = rng.choice(list(self.columns.items()))
        if rng.random() < 0.15:
            return f"{name} IS {rng.choice(['', 'NOT '])}NULL"
        n = rng.randrange(20)
        choices = {
            "INT": [
                f"{name} > {n}",
                f"{name} <= {n}",
                f"{name} <> {n}",
                f"{name} BETWEEN {n - 6} AND {n}",
                f"{name} IN ({n}, {n // 2}, 1)",
                f"MOD({name}, 3) = {n % 3}",
            ],
            "BIGINT": [f"{name} >= {n}", f"{name} < {n}"],
            "STRING": [f"{name} LIKE 'a%'", f"{name} > 'ab'", f"{name} = UPPER({name})"],
            "DECIMAL(10, 2)": [f"{name} > {n - 10}.50", f"{name} < {n}"],
            "DOUBLE": [f"{name} >= {n - 10}.25", f"{name} < {n}"],
            "BOOLEAN": [name, f"NOT {name}", f"{name} IS NOT TRUE"],
            "TIMESTAMP(3)": [f"{name} > TIMESTAMP '2024-03-10 {n:02}:00:00'"],
        }
        return rng.choice(choices[kind])

    def aggregates(self) -> list[Typed]:
        """Return some aggregates, each with one answer whatever the order of its rows."""
        rng = self.rng
        found: list[Typed] = [("COUNT(*)", "BIGINT")] if rng.random() < 0.5 else []
        while len(found) < rng.randint(1, 5):
            name, kind = rng.choice(list(self.columns.items()))
            found.append(rng.choice(self._aggregates(name, kind)))
        return found

    def _aggregates(self, name: str, kind: str) -> list[Typed]:
        found = [(f"COUNT({name})", "BIGINT"), (f"COUNT(DISTINCT {name})", "BIGINT")]
        found.append((f"COUNT(*) FILTER (WHERE {self.condition()})", "BIGINT"))
        if kind != "BOOLEAN":
            found += [(f"MIN({name})", kind), (f"MAX({name})", kind)]
        sums = {"INT": "INT", "DOUBLE": "DOUBLE", "DECIMAL(10, 2)": "DECIMAL(38, 2)"}
        if kind in sums:
            found += [(f"SUM({name})", sums[kind])] * 2
            found.append((f"SUM(DISTINCT {name})", sums[kind]))
        if kind == "DOUBLE":
            found.append((f"AVG({name})", "DOUBLE"))
        return found
