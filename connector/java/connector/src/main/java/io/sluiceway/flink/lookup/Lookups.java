package io.sluiceway.flink.lookup;

import io.sluiceway.flink.api.TableDefinition;
import io.sluiceway.flink.options.LookupOptions;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.source.LookupTableSource.LookupRuntimeProvider;
import org.apache.flink.table.connector.source.lookup.AsyncLookupFunctionProvider;
import org.apache.flink.table.connector.source.lookup.LookupFunctionProvider;
import org.apache.flink.table.connector.source.lookup.PartialCachingAsyncLookupProvider;
import org.apache.flink.table.connector.source.lookup.PartialCachingLookupProvider;
import org.apache.flink.table.connector.source.lookup.cache.DefaultLookupCache;
import org.apache.flink.table.connector.source.lookup.cache.LookupCache;
import org.apache.flink.table.types.logical.RowType;

/** Chooses the function that the options ask for. */
public final class Lookups {
  private Lookups() {}

  /**
   * A provider of look-ups.
   *
   * @param rowType the columns that are produced
   * @param keys paths into {@code rowType} of the join's keys
   * @throws ValidationException when the keys do not contain the whole primary key
   */
  public static LookupRuntimeProvider provider(
      TableDefinition table,
      String endpoint,
      LookupOptions options,
      RowType rowType,
      int[][] keys) {
    LookupPlan plan = LookupPlan.of(table, endpoint, options, rowType, keys);
    LookupCache cache = cache(options.cache());
    if (options.async()) {
      SluicewayAsyncLookup function = new SluicewayAsyncLookup(plan);
      return cache == null
          ? AsyncLookupFunctionProvider.of(function)
          : PartialCachingAsyncLookupProvider.of(function, cache);
    }
    SluicewayLookup function = new SluicewayLookup(plan);
    return cache == null
        ? LookupFunctionProvider.of(function)
        : PartialCachingLookupProvider.of(function, cache);
  }

  private static LookupCache cache(LookupOptions.Cache options) {
    return options == null
        ? null
        : DefaultLookupCache.newBuilder()
            .maximumSize(options.rows())
            .expireAfterWrite(options.expireAfterWrite())
            .expireAfterAccess(options.expireAfterAccess())
            .cacheMissingKey(options.missing())
            .build();
  }
}
