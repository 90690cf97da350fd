"""Random queries over random changelogs: what Flink leaves in our tables is DuckDB's answer.

`SLUICEWAY_KIT_CASES` says how many cases, `SLUICEWAY_KIT_SEED` with which to begin: a case alone is
its number and one case.
"""

import os
from itertools import groupby

import pytest

from kit.flink import FlinkSql
from kit.flinkcases import PER_WORLD
from kit.flinkcases.runner import run_cases
from kit.flinkcases.targets import Failure

SEED = int(os.environ.get("SLUICEWAY_KIT_SEED", "0"))
CASES = int(os.environ.get("SLUICEWAY_KIT_CASES", "96"))
FAILURES_MOST = 40


@pytest.mark.slow
@pytest.mark.timeout(300 + 10 * CASES)
def test_targets_hold_what_duckdb_answers(flink_sql: FlinkSql) -> None:
    failures: list[Failure] = []
    for number, cases in groupby(range(SEED, SEED + CASES), lambda case: case // PER_WORLD):
        numbers = list(cases)
        failed = run_cases(flink_sql, numbers)
        print(f"world {number}: {len(numbers)} cases from {numbers[0]} on, {len(failed)} failed")
        print(*failed, sep="\n", end="\n" if failed else "")
        failures += failed
        if len(failures) >= FAILURES_MOST:
            break
    assert not failures, "\n" + "\n".join(map(str, failures))
