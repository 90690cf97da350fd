package io.sluiceway.flink.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.flink.table.api.ValidationException;
import org.junit.jupiter.api.Test;

class SyncRequestTest {

  @Test
  void whatIsLeftOutHasADefault() {
    SyncRequest request = request(null, null, null);
    assertEquals("shop", request.target());
    assertEquals(3306, request.server().port());
    assertEquals(1, request.parallelism());
    assertNull(request.server().timeZone());
    assertFalse(request.waitForLoad());
    assertTrue(request.server().follows("anything"));
  }

  @Test
  void aRangeOfServerIdsGivesItsFirst() {
    assertEquals(8001, request("8001-8004", null, null).server().serverId());
    assertEquals(8001, request("8001", null, null).server().serverId());
    assertThrows(ValidationException.class, () -> request("x", null, null));
  }

  @Test
  void tablesAreExpressionsWithCommasBetween() {
    SyncRequest request = request(null, "orders, pay_.*", null);
    assertTrue(request.server().follows("orders"));
    assertTrue(request.server().follows("pay_1"));
    assertFalse(request.server().follows("orders_old"));
    assertThrows(ValidationException.class, () -> request(null, "(", null));
  }

  @Test
  void waitIsOneOfTwo() {
    assertTrue(request(null, null, "loaded").waitForLoad());
    assertThrows(ValidationException.class, () -> request(null, null, "later"));
  }

  @Test
  void aJobIsKnownByItsName() {
    assertEquals("shop", SyncJob.targetOf("Sync shop from h:1/shop"));
    assertNull(SyncJob.targetOf("insert-into_dw.shop.dwd"));
  }

  private static SyncRequest request(String serverId, String tables, String waitFor) {
    return SyncRequest.of(
        new SyncRequest.Arguments(
            "h", null, "u", "p", "shop", null, serverId, tables, null, waitFor, null, null, null,
            null, null, null));
  }
}
