package io.sluiceway.flink.catalog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.CatalogContext;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.catalog.exceptions.CatalogException;
import org.junit.jupiter.api.Test;

/** The class path of this test has no jar that brings procedures. */
class ProceduresTest {
  private final Procedures procedures =
      new Procedures(
          new CatalogContext(
              "dw",
              "h:1",
              "d",
              Map.of(),
              new Configuration(),
              ProceduresTest.class.getClassLoader()));

  @Test
  void aProcedureOfTheSyncNamesItsJar() {
    CatalogException refused =
        assertThrows(CatalogException.class, () -> procedures.find("sync_database"));
    assertTrue(refused.getMessage().contains("`sluiceway jar --sync` prints its path"));
  }

  @Test
  void nothingElseIsFound() {
    assertEquals(Optional.empty(), procedures.find("compact"));
    assertEquals(List.of(), procedures.names());
  }
}
