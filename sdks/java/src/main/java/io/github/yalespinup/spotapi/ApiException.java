package io.github.yalespinup.spotapi;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.yalespinup.spotapi.model.Problem;
import java.net.http.HttpHeaders;

/** What a call ends with that is not a success. Written by hand; the generated one has the problem only as text. */
public class ApiException extends Exception {
  private static final long serialVersionUID = 1L;
  private static final ObjectMapper MAPPER = ApiClient.createDefaultObjectMapper();

  private final int code;
  private final transient HttpHeaders responseHeaders;
  private final String responseBody;

  public ApiException(Throwable cause) {
    super(cause);
    this.code = 0;
    this.responseHeaders = null;
    this.responseBody = null;
  }

  public ApiException(int code, String message) {
    this(code, message, null, null);
  }

  public ApiException(int code, String message, HttpHeaders responseHeaders, String responseBody) {
    super(message);
    this.code = code;
    this.responseHeaders = responseHeaders;
    this.responseBody = responseBody;
  }

  /** The HTTP status; 0 without an answer. */
  public int getCode() {
    return code;
  }

  public HttpHeaders getResponseHeaders() {
    return responseHeaders;
  }

  public String getResponseBody() {
    return responseBody;
  }

  /**
   * What the server says went wrong. Its type may be one that this package does not know.
   *
   * @return never null: where something between answered, or nobody did, title and detail say that
   */
  public Problem getProblem() {
    try {
      Problem problem = responseBody == null ? null : MAPPER.readValue(responseBody, Problem.class);
      if (problem != null && problem.getTitle() != null) {
        return problem;
      }
    } catch (JsonProcessingException notAProblem) {
      // A proxy's page, perhaps.
    }
    return new Problem().type("about:blank").status(code).title(code == 0 ? "No answer" : "HTTP " + code)
        .detail(responseBody == null ? getMessage() : responseBody);
  }
}
