"""The house rules that a machine can check, and each rule tried on a sample that breaks it."""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 400
COLUMNS_MAX = 100

# Who may import whom (docs/architecture.md, "The parts").
LAYERS: dict[str, set[str]] = {
    "catalog": set(),
    "connector": set(),
    "warehouse": {"catalog"},
    "jobs": {"catalog", "warehouse", "connector"},
}

# Effects belong to these modules; the rest of the storage gets them as arguments.
EFFECTS = {"disk.py", "clock.py", "mapped.py", "futex.py"}
STORAGE = ("log", "checkpoint", "table", "kernels")
# The bounds of an address space, not of a machine: these words betray where a text was written.
PLACES = re.compile(r"/(?:work|root|home|farm)/[a-z]")

Problems = Iterator[str]
Rule = Callable[[Path, str], Problems]


def tracked(*suffixes: str) -> list[Path]:
    """Every file that git knows, by suffix."""
    out = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [Path(name) for name in out if name.endswith(suffixes) and (ROOT / name).is_file()]


def functions_are_short(path: Path, text: str) -> Problems:
    """No function is longer than a page."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{path}:{node.lineno} {node.name} has {lines} lines"


def modules_are_short(path: Path, text: str) -> Problems:
    """No module outgrows its head."""
    lines = text.count("\n")
    if lines > MODULE_LINES_MAX:
        yield f"{path} has {lines} lines"


def modules_have_a_head(path: Path, text: str) -> Problems:
    """Each module opens by saying what it is."""
    if text.strip() and ast.get_docstring(ast.parse(text)) is None:
        yield f"{path} has no docstring"


def lines_are_narrow(path: Path, text: str) -> Problems:
    """A line fits the window."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > COLUMNS_MAX:
            yield f"{path}:{number} is {len(line)} columns wide"


def nothing_is_left_undone(path: Path, text: str) -> Problems:
    """What is not done belongs into an issue."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield f"{path}:{number} leaves something undone"


def no_place_is_named(path: Path, text: str) -> Problems:
    """The project runs anywhere."""
    for number, line in enumerate(text.splitlines(), 1):
        if PLACES.search(line):
            yield f"{path}:{number} names a path of one machine"


def _imports(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def layers_hold(path: Path, text: str) -> Problems:
    """A folder imports only the folders below it, and only their façades."""
    own = path.parts[0]
    if own not in LAYERS:
        return
    for line, name in _imports(text):
        parts = name.split(".")
        if parts[0] != "sluiceway" or len(parts) < 2 or parts[1] == own:
            continue
        if parts[1] not in LAYERS[own]:
            yield f"{path}:{line} {own} imports {name}"


def effects_are_arguments(path: Path, text: str) -> Problems:
    """Storage modules get disk, clock and randomness; they do not reach for them."""
    if path.name in EFFECTS or not set(STORAGE) & set(path.parts) or path.parts[0] != "warehouse":
        return
    for line, name in _imports(text):
        if name.split(".")[0] in {"os", "time", "random", "shutil", "tempfile", "socket"}:
            yield f"{path}:{line} storage imports {name}"


PYTHON_RULES: list[Rule] = [
    functions_are_short,
    modules_are_short,
    modules_have_a_head,
    lines_are_narrow,
    nothing_is_left_undone,
    no_place_is_named,
    layers_hold,
    effects_are_arguments,
]
TEXT_RULES: list[Rule] = [nothing_is_left_undone, no_place_is_named]
SELF = Path("tests/unit/test_tidy.py")


@pytest.mark.parametrize("rule", PYTHON_RULES, ids=lambda rule: rule.__name__)
def test_python_is_tidy(rule: Rule) -> None:
    """Every tracked Python file keeps the rule."""
    problems = [
        problem
        for path in tracked(".py")
        if path != SELF or rule not in TEXT_RULES
        for problem in rule(path, (ROOT / path).read_text())
    ]
    assert problems == []


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.__name__)
def test_the_rest_is_tidy(rule: Rule) -> None:
    """Java, SQL, documents and build files keep the rules for any text."""
    suffixes = (".java", ".sql", ".md", ".xml", ".toml", ".sh", "Makefile", ".json")
    paths = tracked(*suffixes)
    problems = [p for path in paths for p in rule(path, (ROOT / path).read_text())]
    assert problems == []


@pytest.mark.parametrize(
    ("rule", "path", "sample"),
    [
        (functions_are_short, "a.py", "def f():\n" + "    x = 1\n" * 71),
        (modules_are_short, "a.py", "x = 1\n" * 401),
        (modules_have_a_head, "a.py", "x = 1\n"),
        (lines_are_narrow, "a.py", "x" * 101),
        (nothing_is_left_undone, "a.py", "# TO" + "DO later"),
        (no_place_is_named, "a.py", "x = '/ho" + "me/someone'"),
        (layers_hold, "catalog/sluiceway/catalog/a.py", "from sluiceway.warehouse import x"),
        (effects_are_arguments, "warehouse/sluiceway/warehouse/log/a.py", "import os"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_rule_finds_a_bad_sample(rule: Rule, path: str, sample: str) -> None:
    """A rule that cannot fail is no rule."""
    assert list(rule(Path(path), sample))
