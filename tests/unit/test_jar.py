"""What the connector jar holds: ours, what it relocated, and the services that Flink looks for."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluiceway.connector import jar_path

OURS = "io/sluiceway/flink/"
SHADED = OURS + "shaded/"
SERVICES = "META-INF/services/"
FACTORIES = {
    "io.sluiceway.flink.catalog.SluicewayCatalogFactory",
    "io.sluiceway.flink.catalog.HologresCatalogFactory",
    "io.sluiceway.flink.table.SluicewayTableFactory",
    "io.sluiceway.flink.table.HologresTableFactory",
}


@pytest.fixture(scope="module")
def jar() -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(jar_path()) as opened:
        yield opened


def files(jar: zipfile.ZipFile) -> list[str]:
    return [name for name in jar.namelist() if not name.endswith("/")]


def test_the_newest_version_counts(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has not been built"):
        jar_path(tmp_path)
    for version in ("0.2.0", "0.9.0", "0.10.0-SNAPSHOT", "0.10.0", "0.9.12", "0.10.0-rc1"):
        (tmp_path / f"sluiceway-flink-connector-{version}.jar").touch()
        (tmp_path / "sluiceway-flink-sync-9.0.0.jar").touch()
    assert jar_path(tmp_path).name == "sluiceway-flink-connector-0.10.0.jar"


def test_every_class_is_ours_or_relocated(jar: zipfile.ZipFile) -> None:
    strangers = [n for n in files(jar) if not n.startswith((OURS, "META-INF/"))]
    assert strangers == []


def test_flink_and_its_logging_are_not_inside(jar: zipfile.ZipFile) -> None:
    shaded = [n for n in files(jar) if n.startswith(SHADED)]
    assert shaded, "the wire's libraries are missing"
    assert [n for n in shaded if "/slf4j/" in n or "/apache/flink/" in n] == []


def test_services_name_classes_that_are_there(jar: zipfile.ZipFile) -> None:
    for name in files(jar):
        if name.startswith(SERVICES):
            for provider in lines(jar, name):
                assert provider.replace(".", "/") + ".class" in jar.namelist(), (name, provider)


def test_flink_finds_the_factories_and_the_sync_finds_the_wire(jar: zipfile.ZipFile) -> None:
    found = lines(jar, SERVICES + "org.apache.flink.table.factories.Factory")
    assert set(found) == FACTORIES
    assert lines(jar, SERVICES + "io.sluiceway.flink.api.Warehouse$Provider") == [
        "io.sluiceway.flink.client.FlightWarehouse$Provider"
    ]


def test_no_service_is_named_by_a_class_that_was_relocated(jar: zipfile.ZipFile) -> None:
    services = {n.removeprefix(SERVICES) for n in files(jar) if n.startswith(SERVICES)}
    theirs = {n for n in services if not n.startswith("io.sluiceway.")}
    assert theirs == {"org.apache.flink.table.factories.Factory"}


def test_the_options_of_both_languages_travel_with_it(jar: zipfile.ZipFile) -> None:
    assert OURS + "api/options.json" in jar.namelist()


def lines(jar: zipfile.ZipFile, name: str) -> list[str]:
    text = jar.read(name).decode()
    return [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]
