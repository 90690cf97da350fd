"""The tutorial's answers fit each other, and the demo's readers read what Flink prints."""

from decimal import Decimal

import pytest

from sluiceway.jobs import tutorial
from sluiceway.jobs.compare import as_text, difference
from sluiceway.jobs.demo import printed_rows


@pytest.mark.parametrize("later", [False, True])
def test_the_sums_are_the_sums_of_the_wide_rows(later: bool) -> None:
    wide = tutorial.dwd(later).rows
    for check, column in zip(tutorial.dws(later), (1, 2), strict=True):
        sums: dict[str | None, Decimal] = {}
        for row in wide:
            sums[row[column]] = sums.get(row[column], Decimal(0)) + Decimal(str(row[5]))
        assert {row[0]: Decimal(str(row[2])) for row in check.rows} == sums


def test_the_report_counts_every_order() -> None:
    for later, orders in ((False, 7), (True, 8)):
        report = tutorial.serving(later)[2]
        assert sum(int(str(row[2])) for row in report.rows) == orders


def test_every_statement_of_the_serving_step_has_an_answer() -> None:
    assert len(tutorial.serving(False)) == 3
    assert all(check.query.startswith("SELECT") for check in tutorial.serving(True))


def test_what_a_print_sink_shows() -> None:
    output = (
        "some JVM's remark\n"
        "explore> +I[100001, user_001, null, 2023-02-15T16:40:56]\n"
        "explore> +I[100004, user_001, null, 2023-02-15T13:40:56]\n"
        "explore> -U[100001, user_001, null, 2023-02-15T16:40:56]\n"
        "explore> +U[100001, user_001, 2001, 2023-02-15T16:40:56]\n"
        "explore> -D[100004, user_001, null, 2023-02-15T13:40:56]\n"
    )
    assert printed_rows(output) == [("100001", "user_001", "2001", "2023-02-15 16:40:56")]


def test_differences_are_named() -> None:
    wanted = as_text([("a", Decimal("1.10")), ("b", None)])
    assert wanted == (("a", "1.10"), ("b", None))
    assert difference(wanted, (("a", "1.10"),)) == "missing ('b', None); not expected nothing"
    assert "wrong order" in difference(wanted, wanted[::-1])
