"""Date patterns of PostgreSQL, Hologres and Flink, translated to DuckDB's strftime.

    TO_CHAR('YYYY-"Q"Q')  →  MARK + '%Y-Q' + mark of Q, and the macro puts quarter() in that mark's place
    DATE_FORMAT('yyyyMMdd')  →  MARK + '%Y%m%d'

Invariants: a pattern is cut into fields, longest first; each is translated or named in an error
(SQLSTATE 0A000), none is passed through in silence. A translated pattern begins with MARK, so that
a macro knows one that was not (a pattern that is no literal in the query) and refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sluiceway.catalog import UserError, did_you_mean

MARK = "\ue000"

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
MARKS = {field: chr(ord(MARK) + i) for i, field in enumerate(COMPUTED, 1)}
_SHOWN = {field: code for field, code in _PARSED.items() if field != "Month"}
_SHOWN |= {"Dy": "%a", "IYYY": "%G", "iyyy": "%G", "IW": "%V", "iw": "%V", **MARKS}
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

    @cached_property
    def _token(self) -> re.Pattern[str]:
        fields = sorted(self.codes, key=lambda field: (-len(field), field))
        quoted = f"{self.quote}(?P<quoted>[^{self.quote}]*){self.quote}"
        return re.compile(f"(?P<field>{'|'.join(fields)})|{quoted}|[A-Za-z]+|.", re.DOTALL)

    def translate(self, pattern: str) -> str:
        """Return MARK and the strftime format; UserError 0A000 names a field that is unknown."""
        return MARK + "".join(self._part(found, pattern) for found in self._token.finditer(pattern))

    def _part(self, found: re.Match[str], pattern: str) -> str:
        if found["field"] is not None:
            return self.codes[found["field"]]
        text = found[0] if found["quoted"] is None else found["quoted"]
        if found["quoted"] is None and (
            text[0].isascii() and text[0].isalpha() or text == self.quote
        ):
            raise UserError(
                f"{self.function} has no field {text} (in {pattern!r})."
                f"{did_you_mean(text, self.codes)} Text stands in {self.quote}…{self.quote}.",
                sqlstate="0A000",
            )
        return text.replace("%", "%%")


DIALECTS = {
    "to_char": Dialect("TO_CHAR", _SHOWN, '"'),
    "to_date": Dialect("TO_DATE", _PARSED, '"'),
    "to_timestamp": Dialect("TO_TIMESTAMP", _PARSED, '"'),
    "date_format": Dialect("DATE_FORMAT", _JAVA, "'"),
}
