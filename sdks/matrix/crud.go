package main

import (
	"context"
	"encoding/json"
	"os"

	spot "spot-api/matrix"
)

func main() {
	config := spot.NewConfiguration()
	config.Servers = spot.ServerConfigurations{{URL: os.Getenv("SPOT_API_URL")}}
	config.AddDefaultHeader("X-Auth-Token", os.Getenv("SPOT_API_TOKEN"))
	groups := spot.NewAPIClient(config).ElastigroupsAPI
	ctx, account := context.Background(), os.Getenv("SPOT_API_ACCOUNT")

	var body spot.ElastigroupCreate
	must(json.Unmarshal([]byte(os.Getenv("GROUP")), &body))
	created, _, err := groups.CreateElastigroup(ctx, account).ElastigroupCreate(body).Execute()
	must(err)
	id := created.GetId()
	read, _, err := groups.GetElastigroup(ctx, account, id).Execute()
	must(err)
	update := spot.NewElastigroupUpdate()
	update.SetDescriptionNil()
	_, _, err = groups.UpdateElastigroup(ctx, account, id).ElastigroupUpdate(*update).Execute()
	must(err)
	list, _, err := groups.ListElastigroups(ctx, account).Name(read.GetName()).Execute()
	must(err)
	if len(list) != 1 {
		panic("the list has not one group")
	}
	_, err = groups.DeleteElastigroup(ctx, account, id).Execute()
	must(err)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
