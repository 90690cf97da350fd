"""The splitter: where statements end, and on which line they begin."""

import pytest

from sluiceway.catalog import UserError
from sluiceway.jobs.statements import Statement, StatementSet, split, substitute


def texts(script: str) -> list[str]:
    """Return the texts of a script that has no statement set."""
    return [unit.text for unit in split(script) if isinstance(unit, Statement)]


def test_each_statement_has_its_line() -> None:
    units = split("-- head\nSELECT 1;\n\n  /* two\n lines */ SELECT\n 2;\n")
    assert units == [Statement("SELECT 1", 2), Statement("SELECT\n 2", 5)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'a;b'",
        "SELECT 'it''s; fine'",
        "SELECT `a;b``;` FROM t",
        'SELECT "a;b"',
        "SELECT 1 -- not; here\n+ 2",
        "SELECT /* nor; here */ 1",
        "SELECT * FROM t /*+ OPTIONS('a' = ';') */",
        "SELECT '-- no comment', '/* none */'",
        "SELECT 'ünïcode;'",
    ],
)
def test_semicolons_that_end_nothing(statement: str) -> None:
    assert texts(f"{statement};\nSELECT 2") == [statement, "SELECT 2"]


def test_nothing_but_comments_is_no_statement() -> None:
    assert split("-- nothing\n;;  /* here */ ;\n") == []


@pytest.mark.parametrize("head", ["BEGIN STATEMENT SET;", "EXECUTE STATEMENT SET BEGIN"])
def test_a_statement_set_is_one_unit(head: str) -> None:
    script = f"SELECT 0;\n{head}\nINSERT INTO a SELECT 1;\nINSERT INTO b SELECT ';';\nEND;\nUSE x;"
    inserts = (Statement("INSERT INTO a SELECT 1", 3), Statement("INSERT INTO b SELECT ';'", 4))
    assert split(script) == [
        Statement("SELECT 0", 1),
        StatementSet(inserts, 2),
        Statement("USE x", 6),
    ]


def test_a_set_without_end_is_named_by_its_line() -> None:
    with pytest.raises(UserError, match="begins on line 2 has no END"):
        split("SELECT 1;\nBEGIN STATEMENT SET;\nINSERT INTO a SELECT 1;")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("SELECT 1;\nSELECT 'open", "the string that opens on line 2 is not closed"),
        ("SELECT `open;\n\n", "the quoted identifier that opens on line 1 is not closed"),
        ("\n/* open", "the comment that opens on line 2 is not closed"),
        ("SELECT 1 /*+ OPTIONS('a'='b')", "the comment that opens on line 1 is not closed"),
    ],
)
def test_what_is_not_closed_is_named_by_its_line(script: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        split(script)


def test_variables_take_their_values() -> None:
    assert substitute("a ${x} ${y.z}", {"x": "1", "y.z": "${x}"}) == "a 1 ${x}"


def test_a_variable_without_a_value_is_named_by_its_line() -> None:
    with pytest.raises(UserError, match=r"line 2: \$\{endpoint\} has no value"):
        substitute("-- one\n'${endpoint}'", {})
