package io.sluiceway.flink.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.Retry;
import io.sluiceway.flink.api.WarehouseException;
import io.sluiceway.flink.api.WriteOptions;
import io.sluiceway.flink.client.ScriptedServer.Step;
import io.sluiceway.flink.convert.RowBatch;
import io.sluiceway.flink.convert.RowBatchWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.RowType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams against a Flight server that fails on command. */
@Timeout(60)
class WireTest {
  private static final RowType ID =
      new RowType(List.of(new RowType.RowField("id", new BigIntType())));
  private static final Retry RETRY = new Retry(4, Duration.ofMillis(1), Duration.ofMillis(5));
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final int WINDOW = 3;

  private final BufferAllocator allocator = Memory.child("test");
  private ScriptedServer server;

  @BeforeEach
  void start() throws Exception {
    server = new ScriptedServer();
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
    allocator.close();
  }

  @Test
  void aTableIsAskedForAsItWas() throws Exception {
    try (FlightWarehouse warehouse = FlightWarehouse.connect(server.endpoint(), RETRY)) {
      PastTable past = warehouse.tableAt("dw", "t", 5_000_001L);
      assertEquals(7, past.lsn());
      assertEquals(
          "{\"database\":\"dw\",\"table\":\"t\",\"time_us\":5000001}", past.table().comment());
      assertEquals(
          "{\"database\":\"dw\",\"table\":\"t\",\"lsn\":6}",
          warehouse.tableAtLsn("dw", "t", 6).comment());
    }
  }

  @Test
  void batchesAreAcknowledgedInOrder() throws Exception {
    try (Sender sender = new Sender(true)) {
      sender.send(1, 10);
      sender.put.awaitAll();
      assertEquals(10, sender.put.last().lsn());
    }
    assertEquals(ids(1, 10), server.received);
    assertEquals(1, server.streams.get());
  }

  @Test
  void whatWasNotAcknowledgedIsSentAgainInItsOrder() throws Exception {
    server.steps.addAll(List.of(Step.ACKNOWLEDGE, Step.SWALLOW, Step.SWALLOW, Step.GO_AWAY));
    server.steps.addAll(List.of(Step.GO_AWAY));
    try (Sender sender = new Sender(true)) {
      sender.send(1, 6);
      sender.put.awaitAll();
      assertEquals(6, sender.put.last().lsn());
    }
    assertEquals(3, server.streams.get());
    // 1 was acknowledged; each new stream starts with 2, the oldest that was not.
    assertEquals(1, server.received.stream().filter(id -> id == 1).count());
    List<Long> lastStream =
        server.received.subList(server.received.lastIndexOf(2L), server.received.size());
    assertEquals(ids(2, 6), lastStream);
  }

  @Test
  void withoutAKeyNothingIsSentTwice() throws Exception {
    server.steps.addAll(List.of(Step.ACKNOWLEDGE, Step.GO_AWAY));
    try (Sender sender = new Sender(false)) {
      sender.send(1, 1);
      sender.put.awaitAll();
      WarehouseException failure =
          assertThrows(
              WarehouseException.class,
              () -> {
                sender.send(2, 9);
                sender.put.awaitAll();
              });
      assertEquals("08006", failure.sqlState());
    }
    assertEquals(1, server.streams.get());
  }

  @Test
  void aServerThatStaysAwayFailsTheWriterAfterAllAttempts() throws Exception {
    server.steps.addAll(List.of(Step.GO_AWAY, Step.GO_AWAY, Step.GO_AWAY, Step.GO_AWAY));
    try (Sender sender = new Sender(true)) {
      WarehouseException failure =
          assertThrows(
              WarehouseException.class,
              () -> {
                sender.send(1, 1);
                sender.put.awaitAll();
              });
      assertTrue(failure.isRetryable());
    }
    assertEquals(4, server.streams.get());
  }

  @Test
  void whatTheServerRefusesIsNotSentAgain() throws Exception {
    for (Step step : List.of(Step.REFUSE, Step.ANSWER_ERROR)) {
      server.steps.add(step);
      try (Sender sender = new Sender(true)) {
        WarehouseException failure =
            assertThrows(
                WarehouseException.class,
                () -> {
                  sender.send(1, 1);
                  sender.put.awaitAll();
                });
        String expected =
            step == Step.REFUSE ? "[22003] Value 7 of column 'x' does not fit" : "[40001] dropped";
        assertEquals(expected, failure.getMessage());
      }
    }
    assertEquals(2, server.streams.get());
  }

  @Test
  void aWriterThatWaitsCanBeInterrupted() throws Exception {
    server.steps.addAll(List.of(Step.SWALLOW, Step.SWALLOW, Step.SWALLOW));
    CompletableFuture<Throwable> ended = new CompletableFuture<>();
    Thread writer =
        new Thread(
            () -> {
              try (Sender sender = new Sender(true)) {
                sender.send(1, WINDOW + 1);
                ended.complete(null);
              } catch (Throwable e) {
                ended.complete(e);
              }
            });
    writer.start();
    while (server.received.size() < WINDOW) {
      Thread.onSpinWait();
    }
    writer.interrupt();
    assertEquals(InterruptedException.class, ended.get(20, TimeUnit.SECONDS).getClass());
    writer.join();
    assertEquals(ids(1, WINDOW), server.received);
  }

  @Test
  void aStreamIsReadWokenAndCancelled() throws Exception {
    try (Connection connection = Connection.to(server.endpoint())) {
      BatchStream stream = BatchStream.open(connection, changelog("t"), ID);
      List<Long> ids = new ArrayList<>();
      for (int batch = 1; batch <= 3; batch++) {
        BatchStream.Chunk chunk = stream.next(LONG);
        assertEquals(2 * batch, chunk.next());
        assertEquals(9, chunk.published());
        ids.add(chunk.rows().row(0).getLong(0));
      }
      assertEquals(List.of(0L, 2L, 4L), ids);
      stream.wakeUp();
      assertNull(stream.next(LONG));
      stream.close();
      while (server.cancelled.get() == 0) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void aStreamsErrorComesAfterItsBatches() throws Exception {
    try (Connection connection = Connection.to(server.endpoint());
        BatchStream stream = BatchStream.open(connection, changelog("broken"), ID)) {
      assertEquals(2, stream.next(LONG).next());
      assertEquals(4, stream.next(LONG).next());
      WarehouseException gone = assertThrows(WarehouseException.class, () -> stream.next(LONG));
      assertEquals("[55000] LSN 1 is gone", gone.getMessage());
    }
  }

  @Test
  void lookUpsAreAnsweredInOrderAndNeverStayOpen() throws Exception {
    LookupRequest request = new LookupRequest("d", "t", 1, List.of("id"), List.of("id"));
    try (Connection connection = Connection.to(server.endpoint());
        LookupExchange exchange = LookupExchange.open(connection, request, ID, ID)) {
      List<CompletableFuture<RowBatch>> answers = new ArrayList<>();
      for (long key = 0; key < 20; key++) {
        answers.add(exchange.ask(List.of(GenericRowData.of(key))));
      }
      for (int key = 0; key < answers.size(); key++) {
        assertEquals(key, answers.get(key).get(20, TimeUnit.SECONDS).row(0).getLong(0));
      }
      CompletableFuture<RowBatch> lost = exchange.ask(List.of(GenericRowData.of(-1L)));
      ExecutionException failure =
          assertThrows(ExecutionException.class, () -> lost.get(20, TimeUnit.SECONDS));
      assertTrue(Failures.isAway((WarehouseException) failure.getCause()));
      CompletableFuture<RowBatch> late = exchange.ask(List.of(GenericRowData.of(1L)));
      assertThrows(ExecutionException.class, () -> late.get(20, TimeUnit.SECONDS));
    }
  }

  private static StreamRequest changelog(String table) {
    return new StreamRequest.Changelog("d", table, 1, 0, 1, null, List.of("id"), 100, 100);
  }

  private static List<Long> ids(long first, long last) {
    List<Long> ids = new ArrayList<>();
    for (long id = first; id <= last; id++) {
      ids.add(id);
    }
    return ids;
  }

  /** A sender of batches of one row. */
  private final class Sender implements AutoCloseable {
    private final RowBatchWriter batch = new RowBatchWriter(ID, false, allocator);
    private final BatchPut put;

    Sender(boolean repeatable) {
      WriteRequest request =
          new WriteRequest("d", "t", 1, WriteOptions.Conflict.UPDATE, false, "test");
      put =
          new BatchPut(
              server.endpoint(), RETRY, request, batch.schema(), WINDOW, repeatable, allocator);
    }

    void send(long first, long last) throws Exception {
      for (long id = first; id <= last; id++) {
        batch.add(GenericRowData.of(id));
        put.send(batch.finish());
      }
    }

    @Override
    public void close() {
      put.close();
      batch.close();
    }
  }
}
