"""Options: declared once, under every name that existing SQL uses."""

from collections import Counter
from pathlib import Path

import pytest

from sluiceway.catalog import OPTIONS, Effect, Option, Scope, UserError, option_of, resolve
from sluiceway.catalog.options_doc import files

_ROOT = Path(__file__).resolve().parents[2]
_TUTORIAL = {
    "binlog": "true",
    "sdkMode": "jdbc",
    "cdcmode": "true",
    "connectionpoolname": "the_conn_pool",
    "ignoredelete": "true",
    "partial-insert.enabled": "true",
    "mutateType": "insertOrUpdate",
    "table_property.binlog.level": "replica",
    "table_property.binlog.ttl": "259200",
}


def test_no_name_belongs_to_two_options() -> None:
    names = Counter(
        name.lower() for o in OPTIONS for name in (o.key, *(alias.name for alias in o.aliases))
    )
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_each_declaration_is_consistent(option: Option) -> None:
    if option.default is not None:
        assert option.parse(option.default) == option.default_value
    assert option.doc.endswith(".") and option.key.isprintable()
    for alias in option.aliases:
        for value in (alias.values or {}).values():
            option.parse(value)


@pytest.mark.parametrize("path", files(), ids=str)
def test_generated_files_are_what_the_declaration_gives(path: Path) -> None:
    assert (_ROOT / path).read_text(encoding="utf-8") == files()[path]


def test_the_tutorials_catalog_options_are_understood() -> None:
    assert resolve(_TUTORIAL) == {
        "source.binlog": True,
        "sdkMode": "jdbc",
        "source.binlog.change-log-mode": "ALL",
        "connection.pool.name": "the_conn_pool",
        "sink.delete-strategy": "IGNORE_DELETE",
        "sink.partial-insert.enabled": True,
        "sink.on-conflict-action": "INSERT_OR_UPDATE",
        "table_property.binlog.level": "replica",
        "table_property.binlog.ttl": 259_200,
    }


def test_every_bad_key_and_value_is_reported_at_once() -> None:
    bad = {
        "binlgo": "true",
        "source.binlog.startup-mode": "latest",
        "ignoredelete": "perhaps",
        "sink.insert.batch-size": "0",
        "connection.ssl.mode": "require",
        "table_property.distribution_key": "a,,b",
        "cacheTTLMs": "soon",
    }
    with pytest.raises(UserError) as caught:
        resolve(bad)
    text = str(caught.value)
    assert all(repr(key) in text for key in bad)
    assert '"binlog"' in text and "EARLIEST_OFFSET" in text and "supported only as disable" in text


def test_two_names_of_one_option_must_agree() -> None:
    assert resolve({"binlog": "true", "source.binlog": "TRUE"}) == {"source.binlog": True}
    with pytest.raises(UserError, match=r"source\.binlog"):
        resolve({"binlog": "true", "source.binlog": "false"})


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("lookup.partial-cache.expire-after-write", "5 min", 300_000),
        ("cacheTTLMs", "1500", 1500),
        ("cache", "LRU", "PARTIAL"),
        ("binlogStartupMode", "earliestOffset", "EARLIEST_OFFSET"),
        ("cdcMode", "false", "ALL_AS_APPEND_ONLY"),
        ("sink.ignore-delete", "false", "CHANGELOG_STANDARD"),
        ("table_property.distribution_key", "a, b", ("a", "b")),
    ],
)
def test_values_are_typed_and_aliases_translated(key: str, text: str, value: object) -> None:
    assert list(resolve({key: text}).values()) == [value]


def test_scopes_keep_catalog_options_out_of_tables() -> None:
    with pytest.raises(UserError, match="CREATE CATALOG"):
        resolve({"type": "sluiceway"})
    assert resolve({"type": "hologres"}, Scope) == {"type": "hologres"}


def test_options_are_found_by_any_name_in_any_case() -> None:
    found = option_of("JDBCWRITEBATCHSIZE")
    assert found is not None and found.key == "sink.insert.batch-size"
    assert option_of("nothing") is None
    useless = option_of("sdkmode")
    assert useless is not None and useless.effect is Effect.NONE
