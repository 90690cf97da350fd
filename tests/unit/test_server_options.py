"""Options of a server: declared once, read from three places, and every one reaches the engine."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sluiceway.catalog import SERVER_OPTIONS, UserError
from sluiceway.jobs.cli import main
from sluiceway.warehouse import ServerOptions, Warehouse
from sluiceway.warehouse.clock import SECOND_US
from sluiceway.warehouse.opening import Opened
from sluiceway.warehouse.options import flag_of, variable_of
from sluiceway.warehouse.server.processes import spare_readers

KEYS = [option.key for option in SERVER_OPTIONS]
# A text of each option that is not the default, what it means, and where the engine has it; host,
# port and readers are those of a process (tests/wire/test_process.py).
GIVEN: dict[str, tuple[str, Any, Callable[[Opened], Any] | None]] = {
    "data": ("{folder}/here", Path("{folder}/here"), lambda opened: opened.folder.path),
    "host": ("127.0.0.2", "127.0.0.2", None),
    "port": ("4711", 4711, None),
    "readers": ("3", 3, None),
    "memory": ("3 GB", 3 * 10**9, lambda opened: opened.budget.stats().limit_bytes),
    "shards": ("5", 5, lambda opened: opened.committer._ddl._default_shards),
    "run_dir": (
        "{folder}/run",
        Path("{folder}/run"),
        lambda opened: opened.memory.directory.parent,
    ),
    "checkpoint_log_bytes": ("7MiB", 7 << 20, lambda o: o.checkpointer._every_bytes),
    "packed_shard_bytes": ("12345", 12345, lambda o: o.checkpointer._files._packed_shard_bytes),
    "log_file_bytes": ("9 KiB", 9 << 10, lambda opened: opened.writer._file_bytes),
    "log_keep_bytes": ("2gib", 2 << 30, lambda o: o.checkpointer._retention._keep_bytes),
    "history_s": ("17", 17, lambda opened: opened.compaction._history_us // SECOND_US),
    "stage_ttl_s": ("18", 18, lambda opened: opened.committer._stages._ttl_us // SECOND_US),
    "group_rows_max": ("19", 19, lambda opened: opened.committer._queue._group_rows_max),
    "tail_cache_bytes": ("20 b", 20, lambda opened: opened.log.tail._limit_bytes),
}


def from_arguments(key: str, text: str, folder: Path) -> ServerOptions:
    return ServerOptions.gather({key: text}, {variable_of(key): "of the environment"})


def from_environment(key: str, text: str, folder: Path) -> ServerOptions:
    config = folder / "server.toml"
    config.write_text(f'{key} = "of the file"')
    return ServerOptions.gather(
        {key: None}, {variable_of(key): text, "SLUICEWAY_ELSE": "x"}, config
    )


def from_file(key: str, text: str, folder: Path) -> ServerOptions:
    config = folder / "server.toml"
    value = text if text.isdecimal() else f'"{text}"'
    config.write_text(f"{key.replace('_', '-')} = {value}\n")
    return ServerOptions.gather({}, {"SLUICEWAY_CONFIG": str(config)})


def given(key: str, folder: Path) -> tuple[str, Any]:
    text, value, _ = GIVEN[key]
    if isinstance(value, Path):
        value = Path(str(value).format(folder=folder))
    return text.format(folder=folder), value


def test_every_option_has_a_field_and_a_test() -> None:
    assert KEYS == [field.name for field in fields(ServerOptions)]
    assert list(GIVEN) == KEYS


@pytest.mark.parametrize("way", [from_arguments, from_environment, from_file])
@pytest.mark.parametrize("key", KEYS)
def test_an_option_arrives(
    key: str, way: Callable[[str, str, Path], ServerOptions], tmp_path: Path
) -> None:
    text, value = given(key, tmp_path)
    options = way(key, text, tmp_path)
    assert getattr(options, key) == value != getattr(ServerOptions(), key)
    assert options == replace(ServerOptions(), **{key: value})
    told = ServerOptions.gather(_arguments(options.arguments()), {})
    assert told == options, "a reading process is told the same"


def _arguments(texts: list[str]) -> dict[str, str | None]:
    flags = {flag_of(key): key for key in KEYS}
    return {flags[flag]: text for flag, text in zip(texts[::2], texts[1::2], strict=True)}


@pytest.mark.parametrize("key", [key for key in KEYS if GIVEN[key][2]])
def test_an_option_reaches_the_engine(key: str, tmp_path: Path) -> None:
    text, value = given(key, tmp_path)
    options = ServerOptions.gather(
        {"data": str(tmp_path / "data"), "run_dir": str(tmp_path / "run"), key: text}, {}
    )
    probe = GIVEN[key][2]
    assert probe is not None
    warehouse = Warehouse.open(options.data, options=options)
    try:
        assert probe(warehouse._opened) == value
    finally:
        warehouse.close()


def test_help_shows_every_option_its_variable_and_its_default() -> None:
    shown = CliRunner().invoke(main, ["serve", "--help"], terminal_width=1_000).output
    for option in SERVER_OPTIONS:
        assert flag_of(option.key) in shown and option.doc in shown
        assert variable_of(option.key) in shown
        assert option.default is None or f"default: {option.default}]" in shown
    assert "--config" in shown


def test_all_mistakes_are_told_at_once_with_where_they_stand(tmp_path: Path) -> None:
    config = tmp_path / "server.toml"
    config.write_text('prot = 1\nlog_file_bytes = "1 PB"\n')
    with pytest.raises(UserError) as caught:
        ServerOptions.gather({"shards": "x"}, {"SLUICEWAY_PORT": "70000"}, config)
    assert caught.value.sqlstate == "22023"
    assert str(caught.value).split("it is")[0].startswith(f"'prot' ({config}) is no option.")
    for words in (
        'Did you mean "port"?',
        f"log_file_bytes = '1 PB' ({config}): it is a size such as 256 MiB",
        "port = '70000' (SLUICEWAY_PORT): it is a whole number from 0 to 65535.",
        "shards = 'x' (--shards): it is a whole number from 1 to 1024.",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("port = = 1", "cannot be read"),
        ("port = true", "port = True"),
        ("[server]\nport = 1", "a text or a whole number"),
        (None, "No such file"),
    ],
)
def test_a_bad_file_is_named(text: str | None, words: str, tmp_path: Path) -> None:
    config = tmp_path / "server.toml"
    if text is not None:
        config.write_text(text)
    result = CliRunner().invoke(main, ["serve", "--config", str(config)])
    assert result.exit_code == UserError.exit_code
    assert words in result.output and str(config) in result.output and "22023" in result.output


@pytest.mark.parametrize(("cores", "readers"), [(1, 0), (2, 0), (3, 1), (6, 4), (64, 4)])
def test_reading_processes_take_the_cores_that_are_left(cores: int, readers: int) -> None:
    assert spare_readers(cores) == readers
