package io.github.yalespinup.spotapi;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.yalespinup.spotapi.api.ElastigroupsApi;
import io.github.yalespinup.spotapi.api.ManagedInstancesApi;
import io.github.yalespinup.spotapi.model.Readiness;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.Instant;
import org.springframework.security.crypto.bcrypt.BCrypt;

/**
 * A server, for the classes in {@code api}: {@code new ElastigroupsApi(spot)}. Written by hand.
 *
 * <p>Reads and creates that fail for now are sent again, for up to two minutes, as late as Retry-After says. A create
 * without an Idempotency-Key gets one, which lasts as long as the call. Other writes are sent once.
 */
public final class SpotApi extends ApiClient {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final HttpClient client;

  private SpotApi(String url, String token) {
    super(HttpClient.newBuilder(), losslessMapper(), url.replaceAll("/+$", ""));
    // A cleartext connection would begin with an attempt to upgrade to HTTP/2.
    HttpClient.Version version = url.startsWith("https:") ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1;
    client = new RepeatingHttpClient(
        HttpClient.newBuilder().version(version).connectTimeout(Duration.ofSeconds(10)).build(), PATIENCE);
    setRequestInterceptor(request -> request.setHeader("X-Auth-Token", token).setHeader("Accept-Encoding", "gzip"));
  }

  /** Makes a token of the pre-shared key, once, which takes a moment. */
  public static SpotApi withKey(String url, String key) {
    return new SpotApi(url, BCrypt.hashpw(key, BCrypt.gensalt(10)));
  }

  /** @param token value for X-Auth-Token, as {@code spot-api token} makes it */
  public static SpotApi withToken(String url, String token) {
    return new SpotApi(url, token);
  }

  /** Reads and writes JSON as the calls do. */
  public static ObjectMapper losslessMapper() {
    // The generated one leaves nulls out of the fields that it does not know.
    return createDefaultObjectMapper().setDefaultPropertyInclusion(
        JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.ALWAYS));
  }

  /** One for all of the API classes. */
  @Override
  public HttpClient getHttpClient() {
    return client;
  }

  /**
   * Waits until a group is up, and asks as often as the server says.
   *
   * @throws ApiException when asking again is of no use, or the time is up
   */
  public Readiness waitUntilElastigroupReady(String account, String elastigroup, Duration atMost)
      throws ApiException, InterruptedException {
    ElastigroupsApi api = new ElastigroupsApi(this);
    var request = ElastigroupsApi.APIGetElastigroupReadinessRequest.newBuilder()
        .account(account).elastigroup(elastigroup).build();
    return waitUntilReady(() -> api.getElastigroupReadinessWithHttpInfo(request), atMost);
  }

  /** The same for a managed instance. */
  public Readiness waitUntilInstanceReady(String account, String instance, Duration atMost)
      throws ApiException, InterruptedException {
    ManagedInstancesApi api = new ManagedInstancesApi(this);
    var request = ManagedInstancesApi.APIGetInstanceReadinessRequest.newBuilder()
        .account(account).instance(instance).build();
    return waitUntilReady(() -> api.getInstanceReadinessWithHttpInfo(request), atMost);
  }

  private interface Question {
    ApiResponse<Readiness> ask() throws ApiException;
  }

  private static Readiness waitUntilReady(Question question, Duration atMost)
      throws ApiException, InterruptedException {
    Instant end = Instant.now().plus(atMost);
    while (true) {
      ApiResponse<Readiness> answer = question.ask();
      if (Boolean.TRUE.equals(answer.getData().getReady())) {
        return answer.getData();
      }
      Duration pause = RepeatingHttpClient.retryAfter(answer.getHeaders().get("retry-after"))
          .orElse(Duration.ofSeconds(15));
      if (Instant.now().plus(pause).isAfter(end)) {
        throw new ApiException(0, "Not ready after " + atMost + ": " + String.join(" ", answer.getData().getReasons()));
      }
      Thread.sleep(pause.toMillis());
    }
  }
}
