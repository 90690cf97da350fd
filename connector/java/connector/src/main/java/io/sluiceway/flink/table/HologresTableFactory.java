package io.sluiceway.flink.table;

/** {@code 'connector' = 'hologres'}: SQL that was written for Hologres finds Sluiceway. */
public final class HologresTableFactory extends SluicewayTableFactory {
  @Override
  public String factoryIdentifier() {
    return "hologres";
  }
}
