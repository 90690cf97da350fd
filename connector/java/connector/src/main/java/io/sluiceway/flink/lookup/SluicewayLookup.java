package io.sluiceway.flink.lookup;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Collection;
import java.util.concurrent.ExecutionException;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.LookupFunction;

/** Looks rows up one by one, for {@code async=false}. Public because the planner asks for it. */
public final class SluicewayLookup extends LookupFunction {
  private static final long serialVersionUID = 1;

  private final LookupPlan plan;
  private transient LookupClient client;

  SluicewayLookup(LookupPlan plan) {
    this.plan = plan;
  }

  @Override
  public void open(FunctionContext context) {
    client = new LookupClient(plan);
  }

  @Override
  public Collection<RowData> lookup(RowData keyRow) throws IOException {
    try {
      return client.find(keyRow).get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while looking up a row");
    } catch (ExecutionException e) {
      throw new IOException(e.getCause().getMessage(), e.getCause());
    }
  }

  @Override
  public void close() {
    if (client != null) {
      client.close();
      client = null;
    }
  }
}
