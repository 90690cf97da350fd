"""SQL over the live tables at one LSN: DuckDB computes, and stores nothing.

statement   what a query names: tables, columns, and whether it is one that may run
patterns    the date patterns of TO_CHAR and its like, as DuckDB's own
moments     AS OF clauses: where they stand and which moment they mean
names       which table of the catalog each name means
point       a key pinned by equality: answered from the index
ranges      which rows a WHERE surely asks for, so that others are left out
direct      what needs no DuckDB: columns of that key's row, the count of all rows
plan        what a query means in one catalog, kept for when it is asked again
sources     the tables that a query names, as subqueries over Arrow buffers
engine      DuckDB instances: without files, network or extensions, in UTC
macros      functions of PostgreSQL, Hologres and Flink that DuckDB lacks
commands    SHOW and DESCRIBE, answered from the catalog
failures    DuckDB's errors as ours, with SQLSTATE and the nearest names
"""

from sluiceway.warehouse.query.moments import Moment
from sluiceway.warehouse.query.run import History, SnapshotView, run_sql

__all__ = ["History", "Moment", "SnapshotView", "run_sql"]
