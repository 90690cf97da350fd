"""Date patterns of PostgreSQL, Hologres and Flink, translated to DuckDB's strftime.

    TO_CHAR(x, 'YYYYMMDD')      →  to_char(x, MARK, '%Y%m%d')
    TO_CHAR(x, 'YYYY-Q MM')     →  to_char(x, MARK, '%Y-', 'Q', ' %m')
    DATE_FORMAT(x, 'yyyyMMdd')  →  date_format(x, MARK, '%Y%m%d')

Invariants: a pattern is cut into fields, longest first; each is translated or named in an error
(SQLSTATE 0A000), none is passed through in silence. A pattern that is no literal in the query is
not translated, has no MARK before it, and meets a macro that refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sluiceway.catalog import UserError, did_you_mean

MARK = "translated"
MAX_PIECES = 16

# Field of TO_CHAR → strftime; fields of digits may be written in lower case as well.
_DIGITS = {
    "YYYY": "%Y",
    "YY": "%y",
    "MM": "%m",
    "DDD": "%j",
    "DD": "%d",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%I",
    "MI": "%M",
    "SS": "%S",
    "MS": "%g",
    "US": "%f",
}
_PARSED = {**_DIGITS, **{field.lower(): code for field, code in _DIGITS.items()}}
_PARSED |= {"Mon": "%b", "Month": "%B", "AM": "%p", "PM": "%p"}
# Field of TO_CHAR → expression over `x`, for what strftime does not have. PostgreSQL pads names.
COMPUTED = {
    "MONTH": "rpad(upper(strftime(x, '%B')), 9, ' ')",
    "Month": "rpad(strftime(x, '%B'), 9, ' ')",
    "month": "rpad(lower(strftime(x, '%B')), 9, ' ')",
    "MON": "upper(strftime(x, '%b'))",
    "mon": "lower(strftime(x, '%b'))",
    "DAY": "rpad(upper(strftime(x, '%A')), 9, ' ')",
    "Day": "rpad(strftime(x, '%A'), 9, ' ')",
    "day": "rpad(lower(strftime(x, '%A')), 9, ' ')",
    "DY": "upper(strftime(x, '%a'))",
    "dy": "lower(strftime(x, '%a'))",
    "am": "lower(strftime(x, '%p'))",
    "pm": "lower(strftime(x, '%p'))",
    "ID": "isodow(x)::VARCHAR",
    "D": "(dayofweek(x) + 1)::VARCHAR",
    "Q": "quarter(x)::VARCHAR",
    "WW": "lpad(((dayofyear(x) + 6) // 7)::VARCHAR, 2, '0')",
    "W": "((day(x) + 6) // 7)::VARCHAR",
}
_SHOWN = {field: code for field, code in _PARSED.items() if field != "Month"}
_SHOWN |= {"Dy": "%a", "IYYY": "%G", "iyyy": "%G", "IW": "%V", "iw": "%V"}
# Letters of Flink's DATE_FORMAT (java.time) → strftime.
_JAVA = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "DDD": "%j",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "ss": "%S",
    "SSSSSS": "%f",
    "SSS": "%g",
    "EEEE": "%A",
    "EEE": "%a",
    "E": "%a",
    "a": "%p",
}


@dataclass(frozen=True)
class Dialect:
    """The fields of one function's patterns, and the sign that quotes text in them."""

    function: str
    codes: Mapping[str, str]
    quote: str
    computed: frozenset[str] = frozenset()

    @cached_property
    def _token(self) -> re.Pattern[str]:
        known = sorted([*self.codes, *self.computed], key=lambda field: (-len(field), field))
        quoted = f"{self.quote}(?P<quoted>[^{self.quote}]*){self.quote}"
        return re.compile(f"(?P<field>{'|'.join(known)})|{quoted}|[A-Za-z]+|.", re.DOTALL)

    def translate(self, pattern: str) -> list[str]:
        """Return MARK, strftime formats and names of computed fields, in their order."""
        pieces: list[str] = []
        plain = False
        for found in self._token.finditer(pattern):
            computed = found["field"] in self.computed
            piece = found["field"] if computed else self._format(found, pattern)
            if plain and not computed:
                pieces[-1] += piece
            else:
                pieces.append(piece)
            plain = not computed
        if not 1 <= len(pieces) <= MAX_PIECES:
            raise self._error(f"takes 1 to {MAX_PIECES} pieces, not {len(pieces)}", pattern)
        return [MARK, *pieces]

    def _format(self, found: re.Match[str], pattern: str) -> str:
        if found["field"] is not None:
            return self.codes[found["field"]]
        if found["quoted"] is not None:
            return found["quoted"].replace("%", "%%")
        text = found[0]
        if re.match(f"[A-Za-z{self.quote}]", text):
            cure = did_you_mean(text, [*self.codes, *self.computed])
            raise self._error(f"has no field {text}", pattern, cure)
        return text.replace("%", "%%")

    def _error(self, reason: str, pattern: str, cure: str = "") -> UserError:
        return UserError(
            f"{self.function} {reason} (in {pattern!r}).{cure} "
            f"Text stands in {self.quote}…{self.quote}.",
            sqlstate="0A000",
        )


DIALECTS = {
    "to_char": Dialect("TO_CHAR", _SHOWN, '"', frozenset(COMPUTED)),
    "to_date": Dialect("TO_DATE", _PARSED, '"'),
    "to_timestamp": Dialect("TO_TIMESTAMP", _PARSED, '"'),
    "date_format": Dialect("DATE_FORMAT", _JAVA, "'"),
}
