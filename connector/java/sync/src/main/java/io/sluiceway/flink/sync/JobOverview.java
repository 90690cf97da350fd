package io.sluiceway.flink.sync;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.configuration.RestOptions;

/** The jobs of the session's cluster, asked by REST. */
final class JobOverview {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final URI address;

  private JobOverview(URI address) {
    this.address = address;
  }

  /** One job. */
  record Job(String id, String name, String state) {}

  static JobOverview of(ReadableConfig configuration) {
    boolean isRemote =
        configuration.getOptional(DeploymentOptions.TARGET).filter("remote"::equals).isPresent();
    String host = configuration.getOptional(RestOptions.ADDRESS).orElse("localhost");
    int port = configuration.get(RestOptions.PORT);
    return new JobOverview(
        isRemote ? URI.create("http://" + host + ":" + port + "/jobs/overview") : null);
  }

  /** All jobs; none when the session has no cluster that outlives it. */
  List<Job> jobs() throws IOException, InterruptedException {
    List<Job> jobs = new ArrayList<>();
    if (address == null) {
      return jobs;
    }
    HttpRequest request = HttpRequest.newBuilder(address).timeout(TIMEOUT).build();
    HttpResponse<String> response =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IOException(address + " answered " + response.statusCode());
    }
    for (JsonNode job : new ObjectMapper().readTree(response.body()).path("jobs")) {
      jobs.add(
          new Job(job.path("jid").asText(), job.path("name").asText(), job.path("state").asText()));
    }
    return jobs;
  }
}
