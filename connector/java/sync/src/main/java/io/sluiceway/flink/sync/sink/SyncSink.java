package io.sluiceway.flink.sync.sink;

import io.sluiceway.flink.sync.event.SyncEvent;
import java.io.IOException;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;

/** Writes a stream of rows and schema changes of many tables into a warehouse. */
public final class SyncSink implements Sink<SyncEvent> {
  private static final long serialVersionUID = 1;

  private final String endpoint;
  private final String name;

  /** {@code name} names the writers in the server's status. */
  public SyncSink(String endpoint, String name) {
    this.endpoint = endpoint;
    this.name = name;
  }

  @Override
  public SinkWriter<SyncEvent> createWriter(WriterInitContext context) throws IOException {
    SyncWriter writer = new SyncWriter(endpoint, name);
    writer.tickBy(context.getProcessingTimeService());
    return writer;
  }
}
