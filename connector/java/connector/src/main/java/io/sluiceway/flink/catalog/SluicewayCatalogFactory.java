package io.sluiceway.flink.catalog;

import io.sluiceway.flink.api.CatalogContext;
import io.sluiceway.flink.options.CatalogOptions;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.table.catalog.Catalog;
import org.apache.flink.table.factories.CatalogFactory;

/** {@code CREATE CATALOG dw WITH ('type' = 'sluiceway', 'endpoint' = 'host:port', …)}. */
public class SluicewayCatalogFactory implements CatalogFactory {
  public static final String IDENTIFIER = "sluiceway";

  @Override
  public String factoryIdentifier() {
    return IDENTIFIER;
  }

  /**
   * Empty: options are declared once for both languages and validated by {@link CatalogOptions}.
   */
  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of();
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of();
  }

  @Override
  public Catalog createCatalog(Context context) {
    CatalogOptions options = CatalogOptions.of(context.getOptions());
    CatalogContext known =
        new CatalogContext(
            context.getName(),
            options.endpoint(),
            options.database(),
            context.getOptions(),
            context.getConfiguration(),
            context.getClassLoader());
    return new SluicewayCatalog(factoryIdentifier(), known, options);
  }
}
