// How spot-api is used, step by step.
// Usage: SPOT_API_URL=… SPOT_API_KEY=… SPOT_API_ACCOUNT=… go run ./example
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/google/uuid"

	spotapi "github.com/YaleSpinup/spot-api-go"
)

func main() {
	log.SetFlags(0)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	if err := run(ctx, os.Getenv("SPOT_API_URL"), os.Getenv("SPOT_API_ACCOUNT")); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, url, account string) error {
	credential := spotapi.WithToken(os.Getenv("SPOT_API_TOKEN"))
	if key, has := os.LookupEnv("SPOT_API_KEY"); has {
		credential = spotapi.WithKey(key)
	}
	name := "example-" + uuid.NewString()[:8]
	body := newGroup(name)

	// five calls
	spot, err := spotapi.New(url, credential) // spotapi.WithKey("…")
	if err != nil {
		return err
	}

	// Keep the Idempotency-Key until you have an answer: whoever sends the same request with it gets the same group.
	once := &spotapi.CreateElastigroupParams{IdempotencyKey: new(uuid.NewString())}
	created, err := spot.CreateElastigroupWithResponse(ctx, account, once, body)
	if err != nil {
		return err
	}
	id := created.JSON201.ID.MustGet()

	// Asks as often as the server says.
	readiness, err := spot.WaitUntilElastigroupReady(ctx, account, id)
	if err != nil {
		return err
	}

	// What is not set stays as it is, and Null clears it. With If-Match, nobody's change is lost.
	read, err := spot.GetElastigroupWithResponse(ctx, account, id, nil)
	if err != nil {
		return err
	}
	match := &spotapi.UpdateElastigroupParams{IfMatch: new(read.HTTPResponse.Header.Get("ETag"))}
	changed, err := spot.UpdateElastigroupWithResponse(ctx, account, id, match,
		spotapi.ElastigroupUpdate{Description: spotapi.Null[string]()})
	if err != nil {
		return err
	}

	found, err := spot.ListElastigroupsWithResponse(ctx, account,
		&spotapi.ListElastigroupsParams{Name: new(name), Tag: &[]string{"team:examples"}})
	if err != nil {
		return err
	}
	// end

	again, err := spot.CreateElastigroupWithResponse(ctx, account, once, body)
	if err != nil {
		return err
	}
	check(again.JSON201.ID.MustGet() == id, "the same request answers the same group")
	say("create", id)

	check(read.JSON200.Name.MustGet() == name, "the group has its name")
	say("read", name+", "+read.JSON200.Description.MustGet())

	check(changed.JSON200.Description.IsNull(), "the description is null")
	check(changed.JSON200.Name.MustGet() == name, "the name stays")
	say("change", "the description is null")

	_, err = spot.UpdateElastigroupWithResponse(ctx, account, id, match,
		spotapi.ElastigroupUpdate{Name: spotapi.Value("lost")})
	late, isProblem := errors.AsType[*spotapi.Error](err)
	check(isProblem && late.StatusCode == 412, "an ETag of the past is refused")
	say("if-match", late.Title)

	groups := *found.JSON200
	check(len(groups) == 1 && groups[0].ID == id, "the filters find the group")
	say("list", len(groups), "group")

	check(readiness.Running >= 1, "an instance runs")
	say("ready", readiness.Running, "of", readiness.Target.MustGet())

	costs, err := spot.GetElastigroupCostsWithResponse(ctx, account, id, nil)
	if err != nil {
		return err
	}
	total, err := costs.JSON200.Costs.MustGet().Actual.AsCostsNumber0() // or text, 1, in old answers
	if err != nil {
		return err
	}
	say("costs", total)

	begun, err := spot.CreateRollWithResponse(ctx, account, id, nil,
		spotapi.RollCreate{BatchSizePercentage: spotapi.Value(100), GracePeriod: spotapi.Value(60)})
	if err != nil {
		return err
	}
	rollID := begun.JSON201.ID.MustGet()
	roll, err := spot.GetRollWithResponse(ctx, account, id, rollID, nil)
	if err != nil {
		return err
	}
	if _, err = spot.StopRollWithResponse(ctx, account, id, rollID, nil); err != nil {
		return err
	}
	say("roll", rollID, roll.JSON200.Status.MustGet())

	// Decide by the type, and have a branch for those that you do not know.
	_, err = spot.GetElastigroupWithResponse(ctx, account, "sig-00000000", nil)
	missing, isProblem := errors.AsType[*spotapi.Error](err)
	check(isProblem && missing.StatusCode == 404, "there is no such group")
	say("problem", missing.StatusCode, missing.Type)

	// An update has the fields of a group. Nothing is lost on the way: nulls, zeros, empty arrays, and unknown fields.
	other := os.Getenv("SPOT_API_GROUP")
	whole, err := spot.GetElastigroupWithResponse(ctx, account, other, nil)
	if err != nil {
		return err
	}
	_, err = spot.UpdateElastigroupWithResponse(ctx, account, other, nil, spotapi.ElastigroupUpdate(*whole.JSON200))
	if err != nil {
		return err
	}
	say("send back", whole.JSON200.Name.MustGet())

	if _, err = spot.DeleteElastigroupWithResponse(ctx, account, id, nil); err != nil {
		return err
	}
	_, err = spot.GetElastigroupWithResponse(ctx, account, id, nil)
	gone, isProblem := errors.AsType[*spotapi.Error](err)
	check(isProblem && gone.StatusCode == 404, "the group is gone")
	say("delete", id)
	return nil
}

func newGroup(name string) spotapi.ElastigroupCreate {
	return spotapi.ElastigroupCreate{
		Name:        spotapi.Value(name),
		Description: spotapi.Value("made by an example"),
		Region:      spotapi.Value("us-east-1"),
		Strategy: spotapi.Value(spotapi.ElastigroupStrategy{
			Risk: spotapi.Value(100.0), FallbackToOd: spotapi.Value(true),
		}),
		Capacity: spotapi.Value(spotapi.ElastigroupCapacity{
			Minimum: spotapi.Value(0), Target: spotapi.Value(1), Maximum: spotapi.Value(2), Unit: spotapi.Value("instance"),
		}),
		Compute: spotapi.Value(spotapi.ElastigroupCompute{
			Product: spotapi.Value("Linux/UNIX"),
			InstanceTypes: spotapi.Value(spotapi.ElastigroupInstanceTypes{
				Ondemand: spotapi.Value("t3.micro"), Spot: spotapi.Value([]string{"t3.micro", "t3a.micro"}),
			}),
			SubnetIds: spotapi.Value([]string{"subnet-0f1e2d3c"}),
			LaunchSpecification: spotapi.Value(spotapi.ElastigroupLaunchSpecification{
				ImageID: spotapi.Value("ami-0a1b2c3d"),
				Tags: spotapi.Value([]spotapi.Tag{
					{TagKey: spotapi.Value("team"), TagValue: spotapi.Value("examples")},
				}),
			}),
		}),
	}
}

func say(step string, words ...any) {
	fmt.Print(step, ": ", fmt.Sprintln(words...))
}

func check(holds bool, words string) {
	if !holds {
		log.Fatal("not so: ", words)
	}
}
