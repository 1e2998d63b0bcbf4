package io.github.yalespinup.spotapi;

import java.io.IOException;
import java.net.Authenticator;
import java.net.CookieHandler;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/** Gives each create an Idempotency-Key, and sends again what failed for now and can be repeated without harm. */
final class RepeatingHttpClient extends HttpClient {
  private static final String KEY = "Idempotency-Key";
  private static final Pattern CREATES = Pattern.compile(".*/(elastigroups|instances|imports|rolls)");
  private static final Set<Integer> FOR_NOW = Set.of(429, 502, 503, 504);

  private static final Flow.Subscription NO_SUBSCRIPTION = new Flow.Subscription() {
    @Override
    public void request(long n) {}

    @Override
    public void cancel() {}
  };

  private final HttpClient inner;
  private final Duration patience;

  RepeatingHttpClient(HttpClient inner, Duration patience) {
    this.inner = inner;
    this.patience = patience;
  }

  @Override
  public <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler)
      throws IOException, InterruptedException {
    boolean isCreate = request.method().equals("POST") && CREATES.matcher(request.uri().getPath()).matches();
    if (!isCreate && !request.method().equals("GET")) {
      return inner.send(request, handler);
    }
    if (isCreate && request.headers().firstValue(KEY).isEmpty()) {
      String key = UUID.randomUUID().toString();
      request = HttpRequest.newBuilder(request, (name, value) -> true).header(KEY, key).build();
    }
    Instant end = Instant.now().plus(patience);
    for (Duration pause = Duration.ofSeconds(1);; pause = pause.multipliedBy(2)) {
      Duration wait = pause;
      try {
        HttpResponse<T> response = inner.send(request, whole(handler));
        wait = retryAfter(response.headers().allValues("Retry-After")).orElse(pause);
        if (!isForNow(response) || Instant.now().plus(wait).isAfter(end)) {
          return response;
        }
      } catch (IOException noAnswer) {
        if (Instant.now().plus(wait).isAfter(end)) {
          throw noAnswer;
        }
      }
      Thread.sleep(wait.toMillis());
    }
  }

  /** Reads the body to its end before it is handed on: an answer that breaks off is lost, too. */
  private static <T> HttpResponse.BodyHandler<T> whole(HttpResponse.BodyHandler<T> handler) {
    return info -> HttpResponse.BodySubscribers.mapping(HttpResponse.BodySubscribers.ofByteArray(), bytes -> {
      HttpResponse.BodySubscriber<T> reader = handler.apply(info);
      reader.onSubscribe(NO_SUBSCRIPTION);
      reader.onNext(List.of(ByteBuffer.wrap(bytes)));
      reader.onComplete();
      return reader.getBody().toCompletableFuture().join();
    });
  }

  /** A 409 with Retry-After: the first request with this key is under way. */
  private static boolean isForNow(HttpResponse<?> response) {
    return FOR_NOW.contains(response.statusCode())
        || response.statusCode() == 409 && response.headers().firstValue("Retry-After").isPresent();
  }

  static Optional<Duration> retryAfter(List<String> header) {
    return header == null || header.isEmpty() || !header.get(0).matches("\\d{1,9}")
        ? Optional.empty() : Optional.of(Duration.ofSeconds(Long.parseLong(header.get(0))));
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
    return inner.sendAsync(request, handler);
  }

  @Override
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request, HttpResponse.BodyHandler<T> handler, HttpResponse.PushPromiseHandler<T> pushes) {
    return inner.sendAsync(request, handler, pushes);
  }

  @Override
  public Optional<CookieHandler> cookieHandler() {
    return inner.cookieHandler();
  }

  @Override
  public Optional<Duration> connectTimeout() {
    return inner.connectTimeout();
  }

  @Override
  public Redirect followRedirects() {
    return inner.followRedirects();
  }

  @Override
  public Optional<ProxySelector> proxy() {
    return inner.proxy();
  }

  @Override
  public SSLContext sslContext() {
    return inner.sslContext();
  }

  @Override
  public SSLParameters sslParameters() {
    return inner.sslParameters();
  }

  @Override
  public Optional<Authenticator> authenticator() {
    return inner.authenticator();
  }

  @Override
  public Version version() {
    return inner.version();
  }

  @Override
  public Optional<Executor> executor() {
    return inner.executor();
  }
}
