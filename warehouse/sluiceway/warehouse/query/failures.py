"""DuckDB's errors as Sluiceway's: SQLSTATE, one line, and the nearest names where a name is wrong.

Invariant: decided by DuckDB's own words for the kind ("Binder Error: …"), because a failure that
comes while rows stream arrives as Arrow's exception, without DuckDB's class.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from sluiceway.catalog import (
    NotFoundError,
    SluicewayError,
    UserError,
    did_you_mean,
    error_from_text,
)

_KIND = re.compile(r"(?P<kind>[A-Z][A-Za-z ]*?) Error: (?P<text>.*)", re.DOTALL)
_STATES = {
    "Parser": "42601",
    "Syntax": "42601",
    "Binder": "42601",
    "Catalog": "42704",
    "Conversion": "22P02",
    "Out of Range": "22003",
    "Invalid Input": "22023",
    "Invalid Type": "42804",
    "Mismatch Type": "42804",
    "Not implemented": "0A000",
    "Permission": "42501",
    "Constraint": "23000",
    "Out of Memory": "53200",
    "Interrupt": "57014",
    "INTERRUPT": "57014",
}
# Tried in order; what a kind's text says more exactly.
_EXACT = (
    (re.compile(r"out of range|overflow", re.IGNORECASE), "22003"),
    (re.compile(r"division by zero", re.IGNORECASE), "22012"),
    (re.compile(r"must appear in the GROUP BY"), "42803"),
    (re.compile(r"^Ambiguous reference"), "42702"),
    (re.compile(r"^No function matches|Function with name .* does not exist"), "42883"),
    (re.compile(r"^Cannot (compare|mix)|type mismatch", re.IGNORECASE), "42804"),
)
_COLUMN = re.compile(
    r'Referenced column "(?P<a>[^"]+)" (?:was )?not found'
    r'|does not have a column named "(?P<b>[^"]+)"'
)
_TABLE = re.compile(
    r'Table with name (?P<a>\S+) does not exist|Referenced table "(?P<b>[^"]+)" not found'
)


def failure(error: BaseException, columns: Collection[str]) -> SluicewayError:
    """Return our error for one of DuckDB's; `columns` are those of the tables asked."""
    found = _KIND.search(str(error))
    if found is None:
        return UserError(f"The query failed: {error}", sqlstate="42601")
    # Then come the query's text, with a mark under the place, or all functions of like name.
    text = re.split(r"\n\n|\s*Candidate functions:", found["text"])[0].strip()
    ours = error_from_text(text) if text.startswith("[") else None
    if ours is not None:
        return ours
    column = _COLUMN.search(text)
    if column:
        name = column["a"] or column["b"]
        cure = did_you_mean(name, columns)
        return NotFoundError(f"Column {name!r} does not exist.{cure}", sqlstate="42703")
    table = _TABLE.search(text)
    if table:
        return NotFoundError(f"Table {table['a'] or table['b']!r} is not in the query's FROM.")
    state = next((s for pattern, s in _EXACT if pattern.search(text)), _STATES.get(found["kind"]))
    if state == "53200":
        text = text.split("\n")[0] + ". Ask for fewer rows, groups or columns at once."
    return UserError(f"{found['kind']}: {text}", sqlstate=state or "42601")
