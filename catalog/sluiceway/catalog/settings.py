"""Options as users wrote them, made into values: which option a key names, and what it says.

Invariants: all bad keys and values of a map are reported at once; two names of one option may stand
together only when they say the same; what is stored is the user's own text, never a rewritten one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sluiceway.catalog.errors import UserError
from sluiceway.catalog.names import did_you_mean
from sluiceway.catalog.option import Alias, Option, Scope
from sluiceway.catalog.options import ALL

_BY_NAME: dict[str, tuple[Option, Alias | None]] = {
    **{option.key.lower(): (option, None) for option in ALL},
    **{alias.name.lower(): (option, alias) for option in ALL for alias in option.aliases},
}
_SPELLINGS = {
    **{option.key.lower(): option.key for option in ALL},
    **{alias.name.lower(): alias.name for option in ALL for alias in option.aliases},
}
TABLE_SCOPES = frozenset(Scope) - {Scope.CATALOG, Scope.SERVER}


def option_of(key: str) -> Option | None:
    """Return the option that `key` names, in any case and by any alias."""
    found = _BY_NAME.get(key.strip().lower())
    return None if found is None else found[0]


def resolve(options: Mapping[str, str], scopes: Iterable[Scope] = TABLE_SCOPES) -> dict[str, Any]:
    """Return the typed values by canonical key; UserError 22023 names everything that is wrong."""
    values, problems = _read_all(options, frozenset(scopes))
    _refuse(problems)
    return values


def altered(
    options: Mapping[str, str], changes: Mapping[str, str], reset: Iterable[str]
) -> dict[str, str]:
    """Return the options after SET and RESET; one name of an option replaces another."""
    keys = [*changes, *reset]
    _, problems = _read_all(changes, TABLE_SCOPES)
    problems += [_unknown(key) for key in keys if key not in changes and option_of(key) is None]
    problems += [
        f"Option {key!r} is fixed at CREATE TABLE: make a new table."
        for key in keys
        if (option := option_of(key)) is not None and option.fixed_at == "create"
    ]
    _refuse(problems)
    gone = set(map(_identity, keys))
    kept = {key: text for key, text in options.items() if _identity(key) not in gone}
    return {**kept, **changes}


def _read_all(
    options: Mapping[str, str], scopes: frozenset[Scope]
) -> tuple[dict[str, Any], list[str]]:
    """Return the values by canonical key, and what is wrong with the others."""
    values: dict[str, Any] = {}
    problems = []
    for key, text in options.items():
        try:
            option, value = _read(key, text, scopes)
        except ValueError as error:
            problems.append(str(error))
            continue
        if values.setdefault(option.key, value) != value:
            problems.append(f"{key!r} says otherwise than another name of {option.key}.")
    return values, problems


def _refuse(problems: list[str]) -> None:
    if problems:
        raise UserError(" ".join(problems))


def _read(key: str, text: str, scopes: frozenset[Scope]) -> tuple[Option, Any]:
    found = _BY_NAME.get(key.strip().lower())
    if found is None:
        raise ValueError(_unknown(key))
    option, alias = found
    if option.scope not in scopes:
        raise ValueError(f"Option {key!r} belongs to CREATE CATALOG, not here.")
    try:
        return option, option.parse(alias.translate(text) if alias else text)
    except ValueError as error:
        raise ValueError(f"Option {key!r} = {text!r}: it {error}.") from None


def _unknown(key: str) -> str:
    return f"Option {key!r} is not known.{did_you_mean(key, _SPELLINGS.values())}"


def _identity(key: str) -> str:
    option = option_of(key)
    return key if option is None else option.key


@dataclass(frozen=True)
class TableProperties:
    """What a table's options say to the store."""

    shard_count: int | None
    distribution_key: tuple[str, ...]
    binlog_ttl_s: int
    time_to_live_s: int
    partition_expiration_ms: int | None
    values: Mapping[str, Any]  # everything that was set, by canonical key

    @property
    def rows_expire(self) -> bool:
        """Tell whether rows have a TTL: a shorter one than the default, which stands for none."""
        never: int = _set_or_default({}, "table_property.time_to_live_in_seconds")
        return self.time_to_live_s < never

    @property
    def keeps_rows(self) -> bool:
        """Tell whether a row-major copy of the rows is wanted."""
        return "row" in self.values.get("table_property.orientation", "")

    @classmethod
    def of(cls, options: Mapping[str, str]) -> TableProperties:
        """Read the options of a table; they have been validated when it was created."""
        values = resolve(options)
        return cls(
            shard_count=values.get("table_property.shard_count"),
            distribution_key=values.get("table_property.distribution_key", ()),
            binlog_ttl_s=_set_or_default(values, "table_property.binlog.ttl"),
            time_to_live_s=_set_or_default(values, "table_property.time_to_live_in_seconds"),
            partition_expiration_ms=values.get("table_property.partition_expiration_time"),
            values=values,
        )


def _set_or_default(values: Mapping[str, Any], key: str) -> Any:
    return values.get(key, _BY_NAME[key][0].default_value)
