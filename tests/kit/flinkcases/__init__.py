"""Random Flink queries over random changelogs, compared with DuckDB's answer: one seed, one case.

A *world* is six source tables, their changes and the settings of one job; the cases of a world are
statements of that job. Case `n` is statement `n % PER_WORLD` of world `n // PER_WORLD`, and both
draw from their own seeds: a case alone sees the same rows and runs the same query as among others.

    sources    the tables, their rows as values, as Arrow
    changes    what is written to them, commit by commit, and the rows after each commit
    values     random expressions and conditions, one text for Flink and DuckDB
    queries    one SELECT after another over tables that change
    timed      the SELECTs over event time
    cases      statements of one target: strategies, hints, partial writes
    wanted     DuckDB's answers, and what each strategy makes of their history
    fold       a target's changelog told again, event by event
    targets    a target as it is, and how a failure is told
    runner     a world as a job of the session cluster

What makes an answer defined, so that it can be compared:
* Each target is written by one case. Two statements write different columns of it (and the key).
* A job starts after the first commits and before the others: of those before it sees the end alone.
* Only a query whose rows come from one row of one source each (`per_row`) has a known history: what
  IGNORE_DELETE leaves in the rows that went is compared there alone, elsewhere it may be anything.
* A row whose key comes from several tasks (`moves`) is put in order by Flink's materialiser. With
  IGNORE_DELETE there is none: such queries then run with parallelism 1 and are compared by key.
* A partial write that deletes rows deletes what others wrote: its companion writes a table that is
  done before. A key that left and came back has in the companion's columns what the time between
  decides: those are not compared.
* The dimension of a look-up is written before the job begins, and not changed.
* Event time: no row comes later than the watermark's delay allows, and far rows at the end push
  the watermark past all others; they are no part of any answer. Versions of a temporal join are
  read from the begin of the log, one version of a key a commit.
* Ties are broken by a key; doubles are exact in binary, so that their sums are.
"""

PER_WORLD = 16
