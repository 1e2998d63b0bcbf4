import io.github.yalespinup.spotapi.ApiException;
import io.github.yalespinup.spotapi.ApiResponse;
import io.github.yalespinup.spotapi.SpotApi;
import io.github.yalespinup.spotapi.api.ElastigroupsApi;
import io.github.yalespinup.spotapi.api.ElastigroupsApi.*;
import io.github.yalespinup.spotapi.api.RollsApi;
import io.github.yalespinup.spotapi.api.RollsApi.*;
import io.github.yalespinup.spotapi.model.*;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;

/** How spot-api is used, step by step. Reads SPOT_API_URL, SPOT_API_KEY (or SPOT_API_TOKEN) and SPOT_API_ACCOUNT. */
public class Example {
  public static void main(String[] arguments) throws Exception {
    String url = System.getenv("SPOT_API_URL");
    String account = System.getenv("SPOT_API_ACCOUNT");
    String name = "example-" + UUID.randomUUID().toString().substring(0, 8);
    ElastigroupCreate body = newGroup(name);
    SpotApi spot = connect(url);

    // five calls
    ElastigroupsApi groups = new ElastigroupsApi(spot); // SpotApi.withKey(url, key)

    // Keep the Idempotency-Key until you have an answer: whoever sends the same request with it gets the same group.
    APICreateElastigroupRequest create = APICreateElastigroupRequest.newBuilder()
        .account(account).elastigroupCreate(body).idempotencyKey(UUID.randomUUID().toString()).build();
    String id = groups.createElastigroup(create).getId();

    // Asks as often as the server says.
    Readiness readiness = spot.waitUntilElastigroupReady(account, id, Duration.ofMinutes(30));

    // What is not set stays as it is, and null clears it. With If-Match, nobody's change is lost.
    ApiResponse<Elastigroup> read = groups.getElastigroupWithHttpInfo(
        APIGetElastigroupRequest.newBuilder().account(account).elastigroup(id).build());
    String etag = read.getHeaders().get("etag").get(0);
    Elastigroup changed = groups.updateElastigroup(APIUpdateElastigroupRequest.newBuilder()
        .account(account).elastigroup(id).ifMatch(etag)
        .elastigroupUpdate(new ElastigroupUpdate().description(null)).build());

    List<ElastigroupSummary> found = groups.listElastigroups(
        APIListElastigroupsRequest.newBuilder().account(account).name(name).tag(List.of("team:examples")).build());
    // end

    check(groups.createElastigroup(create).getId().equals(id), "the same request answers the same group");
    say("create", id);

    check(name.equals(read.getData().getName()), "the group has its name");
    say("read", name + ", " + read.getData().getDescription());

    check(changed.getDescription() == null, "the description is null");
    check(name.equals(changed.getName()), "the name stays");
    say("change", "the description is " + changed.getDescription());

    ApiException late = failure(() -> groups.updateElastigroup(APIUpdateElastigroupRequest.newBuilder()
        .account(account).elastigroup(id).ifMatch(etag)
        .elastigroupUpdate(new ElastigroupUpdate().name("lost")).build()));
    check(late.getCode() == 412, "an ETag of the past is refused");
    say("if-match", late.getProblem().getTitle());

    check(found.size() == 1 && found.get(0).getId().equals(id), "the filters find the group");
    say("list", found.size() + " group");

    check(readiness.getRunning() >= 1, "an instance runs");
    say("ready", readiness.getRunning() + " of " + readiness.getTarget());

    Costs costs = groups.getElastigroupCosts(
        APIGetElastigroupCostsRequest.newBuilder().account(account).elastigroup(id).build());
    Object total = costs.getCosts().getActual().getActualInstance(); // text in old answers of Spot
    check(total instanceof Number, "the total is a number");
    say("costs", total.toString());

    RollsApi rolls = new RollsApi(spot);
    String rollId = rolls.createRoll(APICreateRollRequest.newBuilder().account(account).elastigroup(id)
        .rollCreate(new RollCreate().batchSizePercentage(100).gracePeriod(60)).build()).getId();
    Roll roll = rolls.getRoll(APIGetRollRequest.newBuilder().account(account).elastigroup(id).roll(rollId).build());
    rolls.stopRoll(APIStopRollRequest.newBuilder().account(account).elastigroup(id).roll(rollId).build());
    say("roll", rollId + ", " + roll.getStatus());

    // Decide by the type, and have a branch for those that you do not know.
    ApiException missing = failure(() -> groups.getElastigroup(
        APIGetElastigroupRequest.newBuilder().account(account).elastigroup("sig-00000000").build()));
    check(missing.getCode() == 404, "there is no such group");
    say("problem", missing.getProblem().getStatus() + " " + missing.getProblem().getType());

    // An update has the fields of a group. Nothing is lost on the way: nulls, zeros, empty arrays, and unknown fields.
    String other = System.getenv("SPOT_API_GROUP");
    Elastigroup whole = groups.getElastigroup(
        APIGetElastigroupRequest.newBuilder().account(account).elastigroup(other).build());
    ElastigroupUpdate same = spot.getObjectMapper().convertValue(whole, ElastigroupUpdate.class);
    groups.updateElastigroup(
        APIUpdateElastigroupRequest.newBuilder().account(account).elastigroup(other).elastigroupUpdate(same).build());
    say("send back", whole.getName());

    groups.deleteElastigroup(APIDeleteElastigroupRequest.newBuilder().account(account).elastigroup(id).build());
    ApiException gone = failure(() -> groups.getElastigroup(
        APIGetElastigroupRequest.newBuilder().account(account).elastigroup(id).build()));
    check(gone.getCode() == 404, "the group is gone");
    say("delete", id);
  }

  static SpotApi connect(String url) {
    String key = System.getenv("SPOT_API_KEY");
    return key == null ? SpotApi.withToken(url, System.getenv("SPOT_API_TOKEN")) : SpotApi.withKey(url, key);
  }

  static ElastigroupCreate newGroup(String name) {
    return new ElastigroupCreate()
        .name(name)
        .description("made by an example")
        .region("us-east-1")
        .strategy(new ElastigroupStrategy().risk(100.0).fallbackToOd(true))
        .capacity(new ElastigroupCapacity().minimum(0).target(1).maximum(2).unit("instance"))
        .compute(new ElastigroupCompute()
            .product("Linux/UNIX")
            .instanceTypes(new ElastigroupInstanceTypes().ondemand("t3.micro").spot(List.of("t3.micro", "t3a.micro")))
            .subnetIds(List.of("subnet-0f1e2d3c"))
            .launchSpecification(new ElastigroupLaunchSpecification()
                .imageId("ami-0a1b2c3d")
                .tags(List.of(new Tag().tagKey("team").tagValue("examples")))));
  }

  /** What a call fails with. */
  static ApiException failure(Callable<?> call) throws Exception {
    try {
      call.call();
    } catch (ApiException failure) {
      return failure;
    }
    throw new AssertionError("It did not fail.");
  }

  static void check(boolean holds, String words) {
    if (!holds) {
      throw new AssertionError("Not so: " + words);
    }
  }

  static void say(String step, String words) {
    System.out.println(step + ": " + words);
  }
}
