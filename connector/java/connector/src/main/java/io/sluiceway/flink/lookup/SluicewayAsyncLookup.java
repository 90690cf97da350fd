package io.sluiceway.flink.lookup;

import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.AsyncLookupFunction;
import org.apache.flink.table.functions.FunctionContext;

/** Looks rows up without keeping the task waiting. Public because the planner asks for it. */
public final class SluicewayAsyncLookup extends AsyncLookupFunction {
  private static final long serialVersionUID = 1;

  private final LookupPlan plan;
  private transient LookupClient client;

  SluicewayAsyncLookup(LookupPlan plan) {
    this.plan = plan;
  }

  @Override
  public void open(FunctionContext context) {
    client = new LookupClient(plan);
  }

  @Override
  public CompletableFuture<Collection<RowData>> asyncLookup(RowData keyRow) {
    return client.find(keyRow);
  }

  @Override
  public void close() {
    if (client != null) {
      client.close();
      client = null;
    }
  }
}
