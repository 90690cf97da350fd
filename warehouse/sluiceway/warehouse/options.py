"""What a server is started with: the command line, the environment and a file, in that order.

    sluiceway serve --log-file-bytes 64MiB
    SLUICEWAY_LOG_FILE_BYTES=64MiB
    log_file_bytes = "64 MiB"        in the TOML file of `--config` or SLUICEWAY_CONFIG

Invariants: what an option is called, takes and means is declared in `sluiceway.catalog.options`
alone; of two places the one named first above counts; all bad values are reported at once, each
with its key, the value, the form that it should have and where it stands.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluiceway.catalog import SERVER_OPTIONS, UserError, did_you_mean

VARIABLE = "SLUICEWAY_"
CONFIG = VARIABLE + "CONFIG"
_BY_KEY = {option.key: option for option in SERVER_OPTIONS}
_FOLDERS = ("data", "run_dir")


@dataclass(frozen=True)
class _Given:
    """A value as text, and where it stands."""

    text: str
    origin: str


def _typed(key: str, value: Any) -> Any:
    return Path(value) if key in _FOLDERS and value is not None else value


def _default(key: str) -> Any:
    return _typed(key, _BY_KEY[key].default_value)


@dataclass(frozen=True)
class ServerOptions:
    """The options of a server, typed."""

    data: Path = _default("data")
    host: str = _default("host")
    port: int = _default("port")
    readers: int | None = _default("readers")
    memory: int = _default("memory")
    shards: int = _default("shards")
    run_dir: Path | None = _default("run_dir")
    checkpoint_log_bytes: int = _default("checkpoint_log_bytes")
    packed_shard_bytes: int = _default("packed_shard_bytes")
    log_file_bytes: int = _default("log_file_bytes")
    log_keep_bytes: int = _default("log_keep_bytes")
    history_s: int = _default("history_s")
    stage_ttl_s: int = _default("stage_ttl_s")
    group_rows_max: int = _default("group_rows_max")
    tail_cache_bytes: int = _default("tail_cache_bytes")

    @classmethod
    def gather(
        cls,
        arguments: Mapping[str, str | None],
        environment: Mapping[str, str],
        config: Path | None = None,
    ) -> "ServerOptions":
        """Read the options of a command line, by key, of an environment and of a file."""
        if config is None and environment.get(CONFIG):
            config = Path(environment[CONFIG])
        given = {} if config is None else dict(_of_file(config))
        for key in _BY_KEY:
            name = variable_of(key)
            if name in environment:
                given[key] = _Given(environment[name], name)
            text = arguments.get(key)
            if text is not None:
                given[key] = _Given(text, flag_of(key))
        return cls(**_values(given))

    def arguments(self, *left_out: str) -> list[str]:
        """Return the command line that says all of it, but for some keys."""
        shown = {key: getattr(self, key) for key in _BY_KEY if key not in left_out}
        pairs = ((flag_of(key), str(value)) for key, value in shown.items() if value is not None)
        return [text for pair in pairs for text in pair]


def flag_of(key: str) -> str:
    """Return what an option is called on the command line."""
    return f"--{key.replace('_', '-')}"


def variable_of(key: str) -> str:
    """Return what an option is called in the environment."""
    return VARIABLE + key.upper()


def _values(given: Mapping[str, _Given]) -> dict[str, Any]:
    values, bad = {}, []
    for key, each in given.items():
        try:
            values[key] = _typed(key, _BY_KEY[key].parse(each.text))
        except KeyError:
            bad.append(f"{key!r} ({each.origin}) is no option.{did_you_mean(key, _BY_KEY)}")
        except ValueError as error:
            bad.append(f"{key} = {each.text!r} ({each.origin}): it {error}.")
    if bad:
        raise UserError(" ".join(bad), sqlstate="22023")
    return values


def _of_file(path: Path) -> Iterator[tuple[str, _Given]]:
    """Yield the options of a TOML file: keys with a text or a whole number."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"--config {path} cannot be read: {error}", sqlstate="22023") from error
    for key, value in document.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise UserError(
                f"{key} = {value!r} ({path}): it is a text or a whole number.", sqlstate="22023"
            )
        yield key.replace("-", "_"), _Given(str(value), str(path))
