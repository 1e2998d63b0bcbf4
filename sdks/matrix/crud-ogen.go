package main

import (
	"context"
	"fmt"
	"os"

	"spot-api/matrix/spot"
)

type token string

func (t token) AuthToken(context.Context, spot.OperationName) (spot.AuthToken, error) {
	return spot.AuthToken{APIKey: string(t)}, nil
}

func main() {
	client, err := spot.NewClient(os.Getenv("SPOT_API_URL"), token(os.Getenv("SPOT_API_TOKEN")))
	must(err)
	ctx, account := context.Background(), os.Getenv("SPOT_API_ACCOUNT")

	var body spot.ElastigroupCreate
	must(body.UnmarshalJSON([]byte(os.Getenv("GROUP"))))
	created := as[*spot.ElastigroupHeaders](client.CreateElastigroup(ctx, &body, spot.CreateElastigroupParams{Account: account}))
	id := created.Response.ID.Value
	group := as[spot.GetElastigroupRes](client.GetElastigroup(ctx, spot.GetElastigroupParams{Account: account, Elastigroup: id}))
	if fmt.Sprintf("%T", group) != "*spot.Elastigroup" && fmt.Sprintf("%T", group) != "*spot.ElastigroupHeaders" {
		panic(fmt.Sprintf("%T", group))
	}
	update := spot.ElastigroupUpdate{}
	update.Description.SetToNull()
	_, err = client.UpdateElastigroup(ctx, &update, spot.UpdateElastigroupParams{Account: account, Elastigroup: id})
	must(err)
	list := as[*spot.ElastigroupSummariesHeaders](client.ListElastigroups(ctx,
		spot.ListElastigroupsParams{Account: account, Name: spot.NewOptString(body.Name.Value)}))
	if len(list.Response) != 1 {
		panic("the list has not one group")
	}
	_, err = client.DeleteElastigroup(ctx, spot.DeleteElastigroupParams{Account: account, Elastigroup: id})
	must(err)
}

func as[T any](answer any, err error) T {
	must(err)
	value, is := answer.(T)
	if !is {
		panic(fmt.Sprintf("%T: %v", answer, answer))
	}
	return value
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
