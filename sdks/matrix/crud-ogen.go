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
	ctx, account := context.Background(), spot.AccountName(os.Getenv("SPOT_API_ACCOUNT"))

	var body spot.ElastigroupCreate
	must(body.UnmarshalJSON([]byte(os.Getenv("GROUP"))))
	created := as[*spot.ElastigroupHeaders](client.CreateElastigroup(ctx, &body,
		spot.CreateElastigroupParams{Account: account}))
	id := spot.Identifier(created.Response.ID.Value)
	as[*spot.Elastigroup](client.GetElastigroup(ctx, spot.GetElastigroupParams{Account: account, Elastigroup: id}))
	update := spot.ElastigroupUpdate{}
	update.Description.SetToNull()
	as[*spot.Elastigroup](client.UpdateElastigroup(ctx, &update,
		spot.UpdateElastigroupParams{Account: account, Elastigroup: id}))
	list := as[*spot.ElastigroupSummariesHeaders](client.ListElastigroups(ctx,
		spot.ListElastigroupsParams{Account: account, Name: spot.NewOptNameFilter(spot.NameFilter(body.Name.Value))}))
	if len(list.Response) != 1 {
		panic("the list has not one group")
	}
	as[*spot.DeleteElastigroupNoContent](client.DeleteElastigroup(ctx,
		spot.DeleteElastigroupParams{Account: account, Elastigroup: id}))
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
