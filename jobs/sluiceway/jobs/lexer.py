"""The tokens of SQL text, and the few shapes that are read from them.

Invariants:
* Tokens cover the text without a gap: each knows where it starts.
* A string, quoted identifier or comment that is not closed is an error that names its line.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sluiceway.catalog import UserError

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]* | /\*(?!\+).*?\*/)
    | (?P<hint>/\*\+(?:'(?:[^']|'')*'|(?!\*/)[^'])*\*/)
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>`(?:[^`]|``)*` | "(?:[^"]|"")*")
    | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
    | (?P<word>[^\W\d]\w*)
    | (?P<symbol>=>|<>|<=|>=|!=|\|\||.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENERS = {"'": "string", "`": "quoted identifier", '"': "quoted identifier"}


class Token(NamedTuple):
    """One lexical unit: `text` stands at `start` in the source."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Return the position after the token."""
        return self.start + len(self.text)

    def is_word(self, *words: str) -> bool:
        """Tell whether this is one of the keywords, in any case."""
        return self.kind == "word" and self.text.upper() in words


def tokens(text: str) -> Iterator[Token]:
    """Yield every token of the text, spaces and comments included."""
    for match in _TOKEN.finditer(text):
        token = Token(match.lastgroup or "symbol", match.group(), match.start())
        what = _OPENERS.get(token.text)
        if what is None and token.text == "/" and text.startswith("/*", token.start):
            what = "comment"
        if what is not None:
            line = line_of(text, token.start)
            raise UserError(f"the {what} that opens on line {line} is not closed", sqlstate="42601")
        yield token


def code(text: str) -> list[Token]:
    """Return the tokens that mean something: no spaces, no comments."""
    return [token for token in tokens(text) if token.kind not in ("space", "comment")]


def line_of(text: str, position: int) -> int:
    """Return the line number, from 1, of a position in the text."""
    return text.count("\n", 0, position) + 1


def matches(parts: list[Token], at: int, pattern: Sequence[str]) -> bool:
    """Tell whether the keywords stand at a token, one after the other."""
    window = parts[at : at + len(pattern)]
    return len(window) == len(pattern) and all(
        token.kind in ("word", "symbol") and token.text.upper() == want
        for token, want in zip(window, pattern, strict=True)
    )


def find(parts: list[Token], *words: str) -> int:
    """Return where the keywords stand one after the other, -1 if nowhere."""
    for i in range(len(parts)):
        if matches(parts, i, words):
            return i
    return -1


def option_pairs(parts: list[Token], at: int) -> dict[str, str]:
    """Return the 'k'='v' pairs after a token, keys in lower case."""
    if at < 0:
        return {}
    pairs = zip(parts[at:], parts[at + 1 :], parts[at + 2 :], strict=False)
    return {
        unquoted_string(key).lower(): unquoted_string(value)
        for key, equals, value in pairs
        if equals.text == "=" and key.kind == value.kind == "string"
    }


def dotted(parts: list[Token]) -> list[str]:
    """Return the names of a dotted path that may be followed by a WITH clause."""
    names: list[str] = []
    for token in parts:
        if token.is_word("WITH"):
            break
        if token.text != ".":
            names.append(identifier(token))
    return names


def identifier(token: Token) -> str:
    """Return the name that a word or a quoted identifier means."""
    return token.text[1:-1].replace("``", "`") if token.kind == "quoted" else token.text


def unquoted_string(token: Token) -> str:
    """Return the value of a string token."""
    return token.text[1:-1].replace("''", "'")


def literal(value: str) -> str:
    """Return a value as a SQL string."""
    return "'" + value.replace("'", "''") + "'"


def quote(name: str) -> str:
    """Return a name as a quoted identifier."""
    return "`" + name.replace("`", "``") + "`"
