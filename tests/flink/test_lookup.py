"""Flink joins tables as dimensions: by the whole key in any order, hits and misses alike."""

import pyarrow as pa
import pytest

from kit.flink import FlinkSql
from sluiceway.catalog import SluicewayError, UnavailableError
from sluiceway.jobs.waiting import wait_until

TABLES = """
CREATE TABLE visits (
  id BIGINT NOT NULL, page STRING, country STRING, kind INT, PRIMARY KEY (id) NOT ENFORCED
);
CREATE TABLE pages (
  country STRING NOT NULL, page STRING NOT NULL, kind INT, title STRING,
  PRIMARY KEY (page, country) NOT ENFORCED
);
CREATE TABLE named (
  id BIGINT NOT NULL, title STRING, PRIMARY KEY (id) NOT ENFORCED
);
INSERT INTO pages VALUES ('de', 'a', 1, 'Anfang'), ('en', 'a', 1, 'Start'), ('en', 'b', 2, 'End');
"""
NAMED = "SELECT id, title FROM named ORDER BY id"


def join(condition: str, hint: str = "") -> str:
    return f"""
    INSERT INTO named SELECT v.id, p.title FROM visits AS v
    LEFT JOIN pages {hint} FOR SYSTEM_TIME AS OF PROCTIME() AS p ON {condition};
    """


def visit(flink_sql: FlinkSql, *rows: tuple[int, str | None, str, int]) -> None:
    columns = ("id", "page", "country", "kind")
    types = (pa.int64(), pa.string(), pa.string(), pa.int32())
    arrays = [pa.array(v, t) for v, t in zip(zip(*rows, strict=True), types, strict=True)]
    batch = pa.RecordBatch.from_arrays(arrays, names=columns)
    flink_sql.client.write("order_dw", "visits", batch)


def answers(flink_sql: FlinkSql) -> bool:
    """Whether the store answers; after a restart the client's old channel fails once."""
    try:
        flink_sql.client.hello()
    except UnavailableError:
        return False
    return True


@pytest.mark.parametrize(
    "hint",
    [
        "",
        "/*+ OPTIONS('async' = 'false') */",
        "/*+ OPTIONS('cache' = 'LRU', 'cacheSize' = '10', 'cacheTTLMs' = '60000') */",
        "/*+ OPTIONS('lookup.cache' = 'PARTIAL', 'lookup.partial-cache.max-rows' = '10',"
        " 'async' = 'false') */",
    ],
)
def test_hits_misses_and_nulls(flink_sql: FlinkSql, hint: str) -> None:
    flink_sql.insert(TABLES)
    visit(flink_sql, (1, "a", "de", 1), (2, "a", "fr", 1), (3, None, "en", 1), (4, "a", "en", 9))

    flink_sql.run(join("p.country = v.country AND p.page = v.page AND p.kind = v.kind", hint))

    flink_sql.wait_rows(NAMED, [(1, "Anfang"), (2, None), (3, None), (4, None)])
    visit(flink_sql, (5, "b", "en", 2), (6, "a", "de", 1))
    flink_sql.wait_rows(
        NAMED, [(1, "Anfang"), (2, None), (3, None), (4, None), (5, "End"), (6, "Anfang")]
    )


def test_the_whole_key_is_asked_for_by_name(flink_sql: FlinkSql) -> None:
    flink_sql.insert(TABLES)
    with pytest.raises(SluicewayError, match=r"its whole primary key \[page, country\]"):
        flink_sql.run(join("p.page = v.page"))


def test_many_look_ups_share_requests(flink_sql: FlinkSql) -> None:
    flink_sql.insert(TABLES)
    visit(flink_sql, *((i, "ab"[i % 2], "en", 1) for i in range(10_000)))

    flink_sql.run(join("p.page = v.page AND p.country = v.country"))

    flink_sql.wait_rows(
        "SELECT title, count(*) FROM named GROUP BY title ORDER BY title",
        [("End", 5_000), ("Start", 5_000)],
    )


def test_a_restart_of_the_store_is_waited_for(flink_sql: FlinkSql) -> None:
    flink_sql.insert(TABLES)
    [job] = flink_sql.run(join("p.page = v.page AND p.country = v.country"))
    visit(flink_sql, (1, "a", "en", 1))
    flink_sql.wait_rows(NAMED, [(1, "Start")])

    flink_sql.store.kill()
    flink_sql.store.start()
    wait_until("the store answering again", lambda: answers(flink_sql), deadline_s=60)

    visit(flink_sql, (2, "b", "en", 1))
    flink_sql.wait_rows(NAMED, [(1, "Start"), (2, "End")])
    assert flink_sql.cluster.rest.job(job).state == "RUNNING"


INNER = """
INSERT INTO named SELECT v.id, p.title
FROM visits /*+ OPTIONS('source.binlog.change-log-mode' = '{mode}') */ AS v
JOIN pages FOR SYSTEM_TIME AS OF PROCTIME() AS p ON p.country = v.country AND p.page = v.page;
"""


def test_a_row_that_finds_no_partner_any_more_leaves(flink_sql: FlinkSql) -> None:
    """The before image must reach an inner look-up, or nothing tells the sink of the row's end."""
    flink_sql.insert(TABLES)
    visit(flink_sql, (1, "a", "de", 1), (2, "b", "en", 1))
    flink_sql.run(INNER.format(mode="ALL"))
    flink_sql.wait_rows(NAMED, [(1, "Anfang"), (2, "End")])
    visit(flink_sql, (1, "a", "fr", 1))
    flink_sql.wait_rows(NAMED, [(2, "End")])


def test_an_inner_look_up_without_before_images_is_refused(flink_sql: FlinkSql) -> None:
    flink_sql.insert(TABLES)
    with pytest.raises(SluicewayError, match="order_dw.visits is read without before images"):
        flink_sql.run(INNER.format(mode="UPSERT"))
