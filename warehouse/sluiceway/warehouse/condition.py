"""What a query surely asks of a column: the values among which those of its rows are.

Invariant: a condition only ever serves to leave out rows; what it keeps is asked again, row by
row. So bounds belong to their span, and a condition may be wider than what the query says.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

Number = int | float | Decimal
# A Number or, of a column of texts, a str; what is compared is of one kind.
Value: TypeAlias = Any


@dataclass(frozen=True)
class Span:
    """The values from `low` to `high`; None is no bound. Times are counts of the column's unit.

    Texts stand in the order of their code points, which is that of their UTF-8 bytes.
    """

    low: Value
    high: Value

    def meets(self, smallest: Value, largest: Value) -> bool:
        """Tell whether a value from `smallest` to `largest` may be one of the span."""
        return (self.low is None or self.low <= largest) and (
            self.high is None or self.high >= smallest
        )


@dataclass(frozen=True)
class Condition:
    """A column, by the name that its table gives it, and the spans of which one holds its value."""

    column: str
    spans: tuple[Span, ...]

    def meets(self, smallest: Value, largest: Value) -> bool:
        """Tell whether a value from `smallest` to `largest` may satisfy the condition."""
        return any(span.meets(smallest, largest) for span in self.spans)
