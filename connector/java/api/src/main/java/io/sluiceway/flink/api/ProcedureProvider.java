package io.sluiceway.flink.api;

import java.util.Map;
import org.apache.flink.table.procedures.Procedure;

/**
 * Brings procedures to {@code CALL catalog.sys.name(…)}; found by ServiceLoader in the user's class
 * loader.
 */
public interface ProcedureProvider {

  /** Procedures of the database {@code sys} by name. */
  Map<String, Procedure> procedures(CatalogContext context);
}
