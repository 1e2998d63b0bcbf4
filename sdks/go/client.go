// Package spotapi is a client of spot-api, a small REST API in front of Spot for AWS Elastigroups and managed
// instances.
//
// New makes a client. Its methods are named after the operations of the API, with the ending WithResponse. What is not
// a success is an *Error.
package spotapi

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"
	"golang.org/x/crypto/bcrypt"
)

var hasScheme = regexp.MustCompile(`(?i)^https?://`)

// New makes a client of the server at url, such as https://spot.example.org. It needs WithKey or WithToken.
//
// Reads and creates that fail for now are sent again, for up to two minutes, as late as Retry-After says. A create
// without an Idempotency-Key gets one, which lasts as long as the call. Other writes are sent once.
func New(url string, options ...ClientOption) (*ClientWithResponses, error) {
	if !hasScheme.MatchString(url) {
		return nil, fmt.Errorf("the url must begin with http:// or https://, not %s", url)
	}
	return NewClientWithResponses(strings.TrimRight(url, "/"), append(options, func(client *Client) error {
		if client.Client == nil {
			client.Client = http.DefaultClient
		}
		client.Client = &repeater{client.Client}
		return nil
	})...)
}

// WithToken sends a value for X-Auth-Token, as `spot-api token` makes it.
func WithToken(token string) ClientOption {
	return WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
		request.Header.Set("X-Auth-Token", token)
		return nil
	})
}

// WithKey makes a token of the pre-shared key, once, which takes a moment.
func WithKey(key string) ClientOption {
	return func(client *Client) error {
		token, err := bcrypt.GenerateFromPassword([]byte(key), bcrypt.DefaultCost)
		if err != nil {
			return err
		}
		return WithToken(string(token))(client)
	}
}

// WaitUntilElastigroupReady waits until a group is up, and asks as often as the server says. It ends with the context
// at the latest.
func (c *ClientWithResponses) WaitUntilElastigroupReady(ctx context.Context, account, id string) (*Readiness, error) {
	return waitUntilReady(ctx, func() (*Readiness, http.Header, error) {
		reply, err := c.GetElastigroupReadinessWithResponse(ctx, account, id, nil)
		if err != nil {
			return nil, nil, err
		}
		return reply.JSON200, reply.HTTPResponse.Header, nil
	})
}

// WaitUntilInstanceReady does the same for a managed instance.
func (c *ClientWithResponses) WaitUntilInstanceReady(ctx context.Context, account, id string) (*Readiness, error) {
	return waitUntilReady(ctx, func() (*Readiness, http.Header, error) {
		reply, err := c.GetInstanceReadinessWithResponse(ctx, account, id, nil)
		if err != nil {
			return nil, nil, err
		}
		return reply.JSON200, reply.HTTPResponse.Header, nil
	})
}

func waitUntilReady(ctx context.Context, ask func() (*Readiness, http.Header, error)) (*Readiness, error) {
	for {
		readiness, header, err := ask()
		if err != nil {
			return nil, err
		}
		if readiness != nil && readiness.Ready {
			return readiness, nil
		}
		if err := sleep(ctx, retryAfter(header, 15*time.Second)); err != nil {
			return readiness, err
		}
	}
}

// Value is a value for a field that can be null.
func Value[T any](value T) nullable.Nullable[T] { return nullable.NewNullableWithValue(value) }

// Null clears a field. A field that is not set is left as it is.
func Null[T any]() nullable.Nullable[T] { return nullable.NewNullNullable[T]() }
