"""Builds the two jars by Maven, when their sources have changed.

    python -m sluiceway.connector.build            build what is stale
    python -m sluiceway.connector.build --check    exit 1 and name what is stale or missing

Invariants: a jar is fresh if `jars/<artifact>.digest` holds the digest of everything that it is
made from (the reactor's pom, the module `api`, its own module; tests are no part of it). A jar and
its digest appear by rename, the digest last. One build runs at a time. Only the standard library
is used: a wheel's build calls this file before anything is installed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_JAVA = _HERE.parents[1] / "java"
_JARS = _HERE / "jars"


@dataclass(frozen=True)
class Module:
    """A module of the reactor and the jar that it makes."""

    name: str
    artifact: str

    @property
    def built(self) -> Path:
        """The jar where Maven leaves it."""
        return _JAVA / self.name / "target" / self.file_name

    @property
    def jar(self) -> Path:
        """The jar where the package keeps it."""
        return _JARS / self.file_name

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{_version()}.jar"

    @property
    def digest_file(self) -> Path:
        return _JARS / f"{self.artifact}.digest"

    def digest(self) -> str:
        """Return the digest of the sources."""
        found = hashlib.sha256()
        for path in (_JAVA / "pom.xml", *_sources("api"), *_sources(self.name)):
            found.update(f"{path.relative_to(_JAVA)}\0{path.stat().st_size}\0".encode())
            found.update(path.read_bytes())
        return found.hexdigest()

    def is_fresh(self) -> bool:
        """Tell whether the jar was made from the sources as they are."""
        if not (self.jar.is_file() and self.digest_file.is_file()):
            return False
        return self.digest_file.read_text() == self.digest()


MODULES = (
    Module("connector", "sluiceway-flink-connector"),
    Module("sync", "sluiceway-flink-sync"),
)


def _version() -> str:
    """Return the version of the reactor, which both jars carry."""
    pom = (_JAVA / "pom.xml").read_text()
    found = re.search(r"<version>([^<]+)</version>", pom)
    if found is None:
        raise SystemExit(f"{_JAVA / 'pom.xml'} has no <version>")
    return found[1]


def _sources(module: str) -> list[Path]:
    root = _JAVA / module
    main = root / "src" / "main"
    return [root / "pom.xml", *sorted(path for path in main.rglob("*") if path.is_file())]


def build(modules: Sequence[Module] = MODULES) -> list[Path]:
    """Build the stale ones of `modules` and return all their jars."""
    with _alone():
        stale = [module for module in modules if not module.is_fresh()]
        if stale:
            digests = {module: module.digest() for module in stale}
            _maven(stale)
            for module in stale:
                _install(module, digests[module])
    return [module.jar for module in modules]


@contextmanager
def _alone() -> Iterator[None]:
    _JARS.mkdir(exist_ok=True)
    with open(_JARS / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _maven(modules: Sequence[Module]) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise SystemExit("mvn is not on the PATH: install Maven 3.8 and a JDK 17")
    names = ",".join(module.name for module in modules)
    command = [maven, "-q", "-B", "-pl", names, "-am", "package", "-DskipTests"]
    print(f"building {names} ({' '.join(command[1:])})", file=sys.stderr)
    done = subprocess.run(command, cwd=_JAVA)
    if done.returncode:
        raise SystemExit(f"Maven could not build {names}: see its messages above")


def _install(module: Module, digest: str) -> None:
    module.digest_file.unlink(missing_ok=True)
    for old in _JARS.glob(f"{module.artifact}-*.jar"):
        old.unlink()
    _put(module.jar, module.built.read_bytes())
    _put(module.digest_file, digest.encode())


def _put(path: Path, content: bytes) -> None:
    new = path.with_name(path.name + ".new")
    new.write_bytes(content)
    os.replace(new, path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Build the jars for Flink.")
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    parser.add_argument("modules", nargs="*", help="connector, sync; both when left out")
    options = parser.parse_args(arguments)
    unknown = set(options.modules) - {module.name for module in MODULES}
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: the modules are connector and sync")
    chosen = [m for m in MODULES if not options.modules or m.name in options.modules]
    if not options.check:
        for jar in build(chosen):
            print(jar)
        return
    stale = [module.file_name for module in chosen if not module.is_fresh()]
    if stale:
        raise SystemExit(
            f"{', '.join(stale)}: missing or older than the sources; "
            "run `python -m sluiceway.connector.build`"
        )


if __name__ == "__main__":
    main()
