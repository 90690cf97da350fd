"""Properties that are kept with a table."""

from __future__ import annotations

from functools import partial

from sluiceway.catalog.option import DURATION, LONG, NAMES, STRING, Option, Scope, choice, integer
from sluiceway.catalog.options.common import MAX_SHARDS, NONE, aliases

_property = partial(Option, scope=Scope.PROPERTY)

PROPERTY: tuple[Option, ...] = (
    _property(
        "table_property.shard_count",
        integer(1, MAX_SHARDS),
        None,
        "Number of shards, among which rows without a distribution key are spread evenly; not set, "
        "the server's default.",
        fixed_at="create",
    ),
    _property(
        "table_property.distribution_key",
        NAMES,
        None,
        "Columns that choose the shard, among those of the primary key; not set, all of these.",
        fixed_at="create",
    ),
    _property(
        "table_property.binlog.ttl",
        LONG,
        "2592000",
        "Changes are kept at least so long, unless the server's log_keep_bytes is reached. All "
        "tables share the log's files, which go whole and oldest first: the longest time counts.",
        unit="s",
        aliases=aliases("table_property.binlog_ttl"),
    ),
    _property(
        "table_property.binlog.level",
        choice("replica", "none"),
        "replica",
        "Every table has its changelog.",
        effect=NONE,
        aliases=aliases("table_property.binlog_level"),
    ),
    _property(
        "table_property.orientation",
        choice("column", "row", "row,column"),
        "column",
        "With `row`, alone or not, rows are also kept side by side, so that look-ups of many "
        "columns of a wide table touch less memory: 1.4 times as fast for 20 columns, 2.1 times "
        "for 50. It takes the table's size once more, and loading 50 columns 1.8 times as long. "
        "Scans read columns and a key is found through an index in any case. `row` wants a "
        "primary key.",
        fixed_at="create",
    ),
    _property(
        "table_property.table_group",
        STRING,
        None,
        "There is one group of shards a table.",
        effect=NONE,
        fixed_at="create",
    ),
    _property(
        "table_property.clustering_key",
        STRING,
        None,
        "Rows are kept in the order of writing.",
        effect=NONE,
        fixed_at="create",
    ),
    _property(
        "table_property.event_time_column",
        STRING,
        None,
        "Rows are kept in the order of writing.",
        effect=NONE,
        fixed_at="create",
        aliases=aliases("table_property.segment_key"),
    ),
    _property("table_property.bitmap_columns", STRING, None, "There are no bitmaps.", effect=NONE),
    _property(
        "table_property.dictionary_encoding_columns",
        STRING,
        None,
        "There are no dictionaries.",
        effect=NONE,
    ),
    _property(
        "table_property.time_to_live_in_seconds",
        LONG,
        "3153600000",
        "Rows that were last written longer ago expire, within a minute or so. No changes tell of "
        "it: subscribers keep what they have.",
        unit="s",
    ),
    _property(
        "table_property.partition_expiration_time",
        DURATION,
        None,
        "Partitions are dropped, within a minute or so, when the day that their first value names "
        "began longer ago, such as 30 day. Days are DATE, 2024-01-31 or 20240131, in UTC; "
        "partitions of other values stay.",
    ),
)
