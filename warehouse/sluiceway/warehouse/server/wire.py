"""Decode the requests of the wire: JSON bytes in, frozen dataclasses out.

Invariants:
* no I/O: nothing here knows Flight, the store or a clock;
* any bytes either parse or raise UserError; an unknown key, a missing key, a wrong JSON type and a
  number out of range are errors that name the key and the value.
"""

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sluiceway.catalog import UserError
from sluiceway.warehouse.server.requests import (
    ACTIONS,
    EXCHANGES,
    PARTS,
    PUTS,
    REQUEST_BYTES_MAX,
    TICKETS,
    Changelog,
    Lookup,
    Scan,
    Sql,
    Stage,
    Write,
    WriteAll,
)

WIRE_VERSION = 1

TEXT_SHOWN_MAX = 60


def parse_action(name: str, body: bytes) -> Any:
    """Parse the body of an action; an empty body stands for `{}`."""
    shape = ACTIONS.get(name)
    if shape is None:
        raise UserError(f"unknown action {_shown(name)}; known are {', '.join(ACTIONS)}")
    return _decode(shape, _json(body or b"{}", f"action {name}"), f"action {name}")


def parse_ticket(body: bytes) -> Scan | Changelog | Sql:
    """Parse a DoGet ticket."""
    ticket: Scan | Changelog | Sql = _tagged(TICKETS, body, "ticket")
    return ticket


def parse_put(body: bytes) -> Write | WriteAll | Stage:
    """Parse the descriptor command of a DoPut stream."""
    write: Write | WriteAll | Stage = _tagged(PUTS, body, "DoPut command")
    return write


def parse_exchange(body: bytes) -> Lookup:
    """Parse the descriptor command of a DoExchange stream."""
    lookup: Lookup = _tagged(EXCHANGES, body, "DoExchange command")
    return lookup


def to_bytes(value: Any) -> bytes:
    """Encode one JSON document as it goes over the wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _tagged(shapes: Mapping[str, type[Any]], body: bytes, what: str) -> Any:
    """Decode `{"tag": {...}}` by the one key that says what is asked for."""
    document = _json(body, what)
    if not isinstance(document, dict) or len(document) != 1:
        raise UserError(f"a {what} is a JSON object with one key of {', '.join(shapes)}")
    [(tag, value)] = document.items()
    if tag not in shapes:
        raise UserError(f"unknown {what} {_shown(tag)}; known are {', '.join(shapes)}")
    return _decode(shapes[tag], value, f"{what} {tag}")


def _json(body: bytes, what: str) -> Any:
    if len(body) > REQUEST_BYTES_MAX:
        raise UserError(f"{what} has {len(body)} bytes; the most is {REQUEST_BYTES_MAX}")
    try:
        return json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:  # bad UTF-8 is a ValueError, too
        raise UserError(f"{what} is not JSON: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return document


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def _decode(shape: type[Any], document: Any, what: str) -> Any:
    if not isinstance(document, dict):
        raise UserError(f"{what}: expected a JSON object, got {_shown(document)}")
    known = _FIELDS[shape]
    unknown = sorted(set(document) - set(known))
    if unknown:
        names = ", ".join(known) or "none"
        raise UserError(f"{what}: unknown key {_shown(unknown[0])}; known are {names}")
    values = {}
    for key, (entry, hint) in known.items():
        if key in document:
            values[entry.name] = _value(entry, hint, document[key], f"{what}: {key}")
        elif entry.default is MISSING:
            raise UserError(f"{what}: key {key} is missing")
    return shape(**values)


def _fields(shape: type[Any]) -> dict[str, tuple[Field[Any], Any]]:
    """Return JSON key -> (dataclass field, resolved type) of a request."""
    hints = get_type_hints(shape)
    return {f.metadata.get("key") or f.name: (f, hints[f.name]) for f in fields(shape)}


_FIELDS = {
    shape: _fields(shape)
    for shapes in (ACTIONS, TICKETS, PUTS, EXCHANGES, PARTS)
    for shape in shapes.values()
}


def _value(entry: Field[Any], hint: Any, value: Any, what: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        return _value(entry, arguments[0], value, what)
    if origin is Literal:
        if value not in arguments:
            raise UserError(f"{what} is one of {', '.join(arguments)}, not {_shown(value)}")
        return value
    if hint == dict[str, str]:
        texts = _object(entry, value, what).items()
        return {key: _text(entry, text, f"{what}: {key}") for key, text in texts}
    if origin is tuple:
        if not isinstance(value, list):
            raise UserError(f"{what} is a JSON array, not {_shown(value)}")
        return tuple(_value(entry, arguments[0], item, what) for item in value)
    if hint in _FIELDS:
        return _decode(hint, value, what)
    return _SCALARS[origin or hint](entry, value, what)


def _text(entry: Field[Any], value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise UserError(f"{what} is a string, not {_shown(value)}")
    if not value.isprintable() and any(0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise UserError(f"{what} holds half a surrogate pair: {_shown(value)}")
    return value


def _flag(entry: Field[Any], value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise UserError(f"{what} is true or false, not {_shown(value)}")
    return value


def _integer(entry: Field[Any], value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UserError(f"{what} is an integer, not {_shown(value)}")
    least, most = entry.metadata["least"], entry.metadata["most"]
    if not least <= value <= most:
        raise UserError(f"{what} is {_shown(value)}, outside {least} … {most}", sqlstate="22003")
    return value


def _object(entry: Field[Any], value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{what}: expected JSON objects, got {_shown(value)}")
    return value


_SCALARS: Mapping[Any, Callable[[Field[Any], Any, str], Any]] = {
    str: _text,
    bool: _flag,
    int: _integer,
    dict: _object,
}


def _shown(value: Any) -> str:
    """Return the value as an error shows it: JSON, plain ASCII, bounded."""
    try:
        text = json.dumps(value)
    except ValueError:  # an integer of more digits than Python prints
        text = f"a {type(value).__name__} too long to print"
    return text if len(text) <= TEXT_SHOWN_MAX else text[: TEXT_SHOWN_MAX - 1] + "…"
