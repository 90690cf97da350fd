package io.sluiceway.flink.client;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sluiceway.flink.api.TableDefinition;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.flight.Action;
import org.apache.arrow.flight.CallStatus;
import org.apache.arrow.flight.FlightServer;
import org.apache.arrow.flight.FlightStream;
import org.apache.arrow.flight.Location;
import org.apache.arrow.flight.NoOpFlightProducer;
import org.apache.arrow.flight.PutResult;
import org.apache.arrow.flight.Result;
import org.apache.arrow.flight.Ticket;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/** A Flight server that keeps what it is sent and fails where a test tells it to. */
final class ScriptedServer extends NoOpFlightProducer {
  /** What a put stream does with one batch. */
  enum Step {
    ACKNOWLEDGE,
    /** Takes the batch and says nothing. */
    SWALLOW,
    /** Ends the stream as a server that goes away. */
    GO_AWAY,
    /** Ends the stream with an error of its own. */
    REFUSE,
    /** Acknowledges by an error (docs/wire.md, "Writing"). */
    ANSWER_ERROR
  }

  private static final Field ID = Field.nullable("id", new ArrowType.Int(64, true));
  private static final Schema CHANGES =
      new Schema(List.of(own("_event", 8), own("_lsn", 64), own("_time", 64), ID));
  private static final Schema ANSWERS = new Schema(List.of(own("_pos", 32), ID));

  /** The next steps; when none is left batches are acknowledged. */
  final BlockingQueue<Step> steps = new LinkedBlockingQueue<>();

  /** First id of each batch, in the order of arrival. */
  final List<Long> received = new CopyOnWriteArrayList<>();

  final AtomicInteger streams = new AtomicInteger();
  final AtomicInteger cancelled = new AtomicInteger();

  private final BufferAllocator allocator = new RootAllocator();
  private final FlightServer server;

  ScriptedServer() throws Exception {
    Location location = Location.forGrpcInsecure("127.0.0.1", 0);
    server = FlightServer.builder(allocator, location, this).build().start();
  }

  String endpoint() {
    return "127.0.0.1:" + server.getPort();
  }

  @Override
  public Runnable acceptPut(
      CallContext context, FlightStream stream, StreamListener<PutResult> acknowledgements) {
    return () -> {
      streams.incrementAndGet();
      while (stream.next()) {
        long id = ((BigIntVector) stream.getRoot().getVector(0)).get(0);
        received.add(id);
        take(id, steps.poll(), acknowledgements);
      }
      acknowledgements.onCompleted();
    };
  }

  private void take(long id, Step step, StreamListener<PutResult> acknowledgements) {
    switch (step == null ? Step.ACKNOWLEDGE : step) {
      case ACKNOWLEDGE -> answer(acknowledgements, Json.object().put("lsn", id).put("rows", 1));
      case SWALLOW -> {
        // The test waits for what is missing.
      }
      case GO_AWAY -> throw CallStatus.UNAVAILABLE.withDescription("bye").toRuntimeException();
      case REFUSE ->
          throw CallStatus.UNKNOWN
              .withDescription("[22003] Value 7 of column 'x' does not fit. Detail: Failed")
              .toRuntimeException();
      case ANSWER_ERROR -> {
        ObjectNode error = Json.object();
        error.putObject("error").put("sqlstate", "40001").put("message", "dropped");
        answer(acknowledgements, error);
      }
    }
  }

  private void answer(StreamListener<PutResult> acknowledgements, ObjectNode json) {
    try (PutResult result = PutResult.metadata(buffer(json))) {
      acknowledgements.onNext(result);
    }
  }

  /** Three batches of two rows, then nothing until the client goes; or an error after two. */
  @Override
  public void getStream(CallContext context, Ticket ticket, ServerStreamListener listener) {
    boolean fails = new String(ticket.getBytes(), StandardCharsets.UTF_8).contains("broken");
    try (VectorSchemaRoot root = VectorSchemaRoot.create(CHANGES, allocator)) {
      listener.setOnCancelHandler(cancelled::incrementAndGet);
      listener.start(root);
      for (int batch = 0; batch < (fails ? 2 : 3); batch++) {
        fill(root, 2L * batch, 2L * batch + 1);
        listener.putNext(buffer(Json.object().put("next", 2 * batch + 2).put("published", 9)));
      }
      if (fails) {
        listener.error(
            CallStatus.UNKNOWN.withDescription("[55000] LSN 1 is gone").toRuntimeException());
      }
    }
  }

  /** Answers keys 0 and 1, whatever is asked; a negative key ends the exchange. */
  @Override
  public void doExchange(CallContext context, FlightStream reader, ServerStreamListener writer) {
    try (VectorSchemaRoot root = VectorSchemaRoot.create(ANSWERS, allocator)) {
      writer.start(root);
      while (reader.next()) {
        long key = ((BigIntVector) reader.getRoot().getVector(0)).get(0);
        if (key < 0) {
          throw CallStatus.UNAVAILABLE.withDescription("bye").toRuntimeException();
        }
        fill(root, key, key + 1);
        writer.putNext();
      }
      writer.completed();
    }
  }

  /** Answers every question by a table and the question itself, as its comment. */
  @Override
  public void doAction(CallContext context, Action action, StreamListener<Result> listener) {
    String asked = new String(action.getBody(), StandardCharsets.UTF_8);
    TableDefinition table =
        TableDefinition.of("dw", "t", asked, List.of(), List.of("id"), Map.of());
    ObjectNode json = (ObjectNode) TableJson.createTable(table, false).get("table");
    json.put("id", 3).put("generation", 1).put("schema_version", 1);
    ObjectNode answer = Json.object().put("wire", FlightWarehouse.WIRE).put("lsn", 7);
    answer.set("table", json);
    listener.onNext(new Result(Json.bytes(answer)));
    listener.onCompleted();
  }

  private static Field own(String name, int bits) {
    return Field.notNullable(name, new ArrowType.Int(bits, true));
  }

  /** Rows of some ids, which are inserts where the stream has changes. */
  private static void fill(VectorSchemaRoot root, long... ids) {
    int last = root.getFieldVectors().size() - 1;
    for (int at = 0; at <= last; at++) {
      BaseIntVector vector = (BaseIntVector) root.getVector(at);
      vector.allocateNew();
      for (int i = 0; i < ids.length; i++) {
        vector.setWithPossibleTruncate(i, at == last ? ids[i] : 5);
      }
    }
    root.setRowCount(ids.length);
  }

  private ArrowBuf buffer(ObjectNode json) {
    byte[] bytes = Json.bytes(json);
    ArrowBuf buffer = allocator.buffer(bytes.length);
    buffer.writeBytes(bytes);
    return buffer;
  }

  void close() throws Exception {
    server.shutdown();
    server.awaitTermination();
    server.close();
  }
}
