"""The relations of FROM clauses, found in the tokens of a statement.

Invariant: FROM is found as Flink's parser finds it. `IS DISTINCT FROM` is an operator, and what is
in parentheses (EXTRACT, TRIM, a subquery) is not of the query around it.
"""

from dataclasses import dataclass

from sluiceway.catalog import UserError
from sluiceway.jobs.lexer import Token, matches

PERIOD = ("FOR", "SYSTEM_TIME", "AS", "OF")
_JOINERS = ("JOIN", "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "NATURAL")
_FROM_ENDS = ("WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "QUALIFY")
_SET_OPERATORS = ("UNION", "INTERSECT", "EXCEPT", "MINUS")
# What may follow a relation that has no alias.
FOLLOWS = (*_JOINERS, "ON", "USING", *_FROM_ENDS, *_SET_OPERATORS, "MATCH_RECOGNIZE", "TABLESAMPLE")


@dataclass(frozen=True)
class Relation:
    """One relation of a FROM clause: tokens [first, last)."""

    first: int
    last: int

    def alias(self, parts: list[Token]) -> str:
        """Return the name by which the query calls it, as it is written."""
        item = [token for token in parts[self.first : self.last] if token.kind != "hint"]
        for i in range(len(item)):
            if matches(item, i, PERIOD):
                after = next((j for j in range(i, len(item)) if item[j].text == ")"), len(item) - 1)
                item = item[after + 1 :] or item[:i]
                break
        if item[-1].kind in ("word", "quoted"):
            return item[-1].text
        text = " ".join(token.text for token in item)
        raise UserError(f"give the relation {text!r} a name: … AS name", sqlstate="42601")


def is_from(parts: list[Token], at: int) -> bool:
    """Tell whether a FROM clause begins at a token."""
    return parts[at].is_word("FROM") and not (at and parts[at - 1].is_word("DISTINCT"))


def depths_of(parts: list[Token]) -> list[int]:
    """Return the depth of parentheses at each token; both parentheses count as outside."""
    depths, depth = [], 0
    for token in parts:
        depth -= token.text == ")"
        depths.append(depth)
        depth += token.text == "("
    return depths


def relations_of(parts: list[Token], depths: list[int], from_at: int) -> list[Relation]:
    """Return the relations of the FROM clause that starts at a token."""
    items: list[Relation] = []
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
            items.append(Relation(first, i))
            in_relation = False
        if token is None or token.is_word(*_FROM_ENDS, *_SET_OPERATORS):
            break
        if token.text == "," or token.is_word("JOIN"):
            in_relation, first = True, i + 1
    return items
