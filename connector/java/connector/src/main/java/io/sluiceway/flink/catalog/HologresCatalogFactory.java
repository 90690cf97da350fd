package io.sluiceway.flink.catalog;

/** {@code 'type' = 'hologres'}: SQL that was written for Hologres finds Sluiceway. */
public final class HologresCatalogFactory extends SluicewayCatalogFactory {
  @Override
  public String factoryIdentifier() {
    return "hologres";
  }
}
