package io.sluiceway.flink.options;

import io.sluiceway.flink.api.Retry;
import java.io.Serializable;

/**
 * How a table is read.
 *
 * @param binlog true to follow changes in a streaming job, false for a snapshot alone
 * @param changelogKinds what a change becomes
 * @param startup where to begin
 * @param startMicros the time to begin at, in microseconds since 1970 UTC; set with TIMESTAMP only
 * @param snapshotLsn the LSN at which the table is read, once; or null for what is published
 * @param scanRows rows a batch of the snapshot
 * @param changelogRows events a batch of the changelog
 * @param parallelism the source's parallelism, or null for the job's
 * @param retry how long calls are repeated while the server is away
 */
public record ReadOptions(
    boolean binlog,
    ChangelogKinds changelogKinds,
    Startup startup,
    Long startMicros,
    Long snapshotLsn,
    int scanRows,
    int changelogRows,
    Integer parallelism,
    Retry retry)
    implements Serializable {

  /** source.binlog.change-log-mode. */
  public enum ChangelogKinds {
    /** Every event, with before images. */
    ALL,
    /** Events without before images. */
    UPSERT,
    /** Every event as an inserted row. */
    ALL_AS_APPEND_ONLY
  }

  /** source.binlog.startup-mode. */
  public enum Startup {
    /** The rows of now, then what changes. */
    INITIAL,
    /** The oldest change that is kept. */
    EARLIEST_OFFSET,
    /** Changes committed from a time on. */
    TIMESTAMP
  }
}
