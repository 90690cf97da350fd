"""Reading JSON objects strictly: every key is known, every value has its type.

Invariant: what is wrong is named with the object and the key it stands at; nothing is ignored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sluiceway.catalog.errors import UserError
from sluiceway.catalog.names import did_you_mean


def require_keys(document: object, what: str, known: Collection[str]) -> Mapping[str, Any]:
    """Return `document` if it is an object whose keys are all among `known`."""
    if not isinstance(document, Mapping):
        raise malformed(what, f"is an object, not {document!r}")
    for key in document:
        if key not in known:
            raise malformed(what, f"has no key {key!r}.{did_you_mean(str(key), known)}")
    return document


def text(document: Mapping[str, Any], key: str, what: str) -> str:
    """Return the text at `key`."""
    value = document.get(key)
    if not isinstance(value, str):
        raise malformed(what, f"has a text as {key!r}, not {value!r}")
    return value


def optional_text(document: Mapping[str, Any], key: str, what: str) -> str | None:
    """Return the text at `key`, None where there is none."""
    return None if document.get(key) is None else text(document, key, what)


def flag(document: Mapping[str, Any], key: str, what: str, default: bool = False) -> bool:
    """Return the boolean at `key`."""
    value = document.get(key, default)
    if not isinstance(value, bool):
        raise malformed(what, f"has true or false as {key!r}, not {value!r}")
    return value


def count(document: Mapping[str, Any], key: str, what: str) -> int:
    """Return the whole number ≥ 0 at `key`, 0 where there is none."""
    value = document.get(key)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise malformed(what, f"has a whole number as {key!r}, not {value!r}")
    return value


def texts(document: Mapping[str, Any], key: str, what: str) -> tuple[str, ...]:
    """Return the list of texts at `key`, empty where there is none."""
    value = document.get(key)
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise malformed(what, f"has a list of texts as {key!r}, not {value!r}")
    return tuple(value)


def text_map(document: Mapping[str, Any], key: str, what: str) -> dict[str, str]:
    """Return the object of texts at `key`, empty where there is none."""
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value.values()):
        raise malformed(what, f"has an object of texts as {key!r}, not {value!r}")
    return dict(value)


def malformed(what: str, reason: str) -> UserError:
    """Return the error for a document that breaks the form of docs/wire.md."""
    return UserError(f"A {what} {reason.rstrip('.')}.", sqlstate="22032")
