"""What a server is started with, each option declared once.

Invariant: `ServerOptions.parse` accepts the texts that `OPTIONS` describe and nothing else; it
reports every bad key at once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluiceway.catalog import UserError

_UNITS = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_UNITS |= {"kb": 10**3, "mb": 10**6, "gb": 10**9}


def parse_bytes(text: str) -> int:
    """Read a size such as `64 MiB` or `1048576`."""
    found = re.fullmatch(r"\s*(\d+)\s*([a-zA-Z]*)\s*", text)
    if not found or found[2].lower() not in _UNITS:
        raise ValueError("expected a size such as 256 MiB")
    return int(found[1]) * _UNITS[found[2].lower()]


def _count(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise ValueError(f"expected a number from {least} to {most}")
        return value

    return parse


@dataclass(frozen=True)
class ServerOption:
    """One option: how its text is read and what it does."""

    key: str
    parse: Callable[[str], Any]
    doc: str


OPTIONS = (
    ServerOption("data", Path, "the folder that holds the warehouse"),
    ServerOption("host", str, "the address to listen at"),
    ServerOption("port", _count(0, 65_535), "the port to listen at; 0 = the last one, or any"),
    ServerOption("memory", parse_bytes, "most that is held of what cannot be evicted; 0 = 60 %"),
    ServerOption("shards", _count(1, 1_024), "shards of a table that does not say how many"),
    ServerOption("run_dir", Path, "where mutable memory is mapped; tmpfs when it has room"),
    ServerOption("checkpoint_log_bytes", parse_bytes, "log since the last checkpoint; 0 = never"),
    ServerOption("packed_shard_bytes", parse_bytes, "a shard up to this size shares data files"),
    ServerOption("log_file_bytes", parse_bytes, "size at which a new log file begins"),
    ServerOption("log_keep_bytes", parse_bytes, "most log kept, whatever binlog.ttl says; 0 = all"),
    ServerOption("history_s", _count(0, 1 << 31), "seconds for which the past can be read AS OF"),
    ServerOption("stage_ttl_s", _count(1, 1 << 31), "seconds after which a stage is aborted"),
    ServerOption("group_rows_max", _count(1, 10_000_000), "most input rows of one commit"),
    ServerOption("tail_cache_bytes", parse_bytes, "newest changes kept in memory for readers"),
)


@dataclass(frozen=True)
class ServerOptions:
    """The options of a server, typed."""

    data: Path = Path("sluiceway-data")
    host: str = "127.0.0.1"
    port: int = 0
    memory: int = 0
    shards: int = 1
    run_dir: Path | None = None
    checkpoint_log_bytes: int = 256 << 20
    packed_shard_bytes: int = 256 << 10
    log_file_bytes: int = 256 << 20
    log_keep_bytes: int = 0
    history_s: int = 300
    stage_ttl_s: int = 86_400
    group_rows_max: int = 200_000
    tail_cache_bytes: int = 64 << 20

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> "ServerOptions":
        """Read options from their texts, or raise UserError naming every bad one."""
        known = {option.key: option for option in OPTIONS}
        values: dict[str, Any] = {}
        bad: list[str] = []
        for key, text in texts.items():
            if key not in known:
                bad.append(f"{key!r} is no option; known are {', '.join(known)}")
                continue
            try:
                values[key] = known[key].parse(text)
            except ValueError as error:
                bad.append(f"{key} = {text!r}: {error}")
        if bad:
            raise UserError("; ".join(bad), sqlstate="22023")
        return cls(**values)
