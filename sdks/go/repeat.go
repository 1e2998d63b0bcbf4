package spotapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

const (
	keyHeader = "Idempotency-Key"
	// patience is how long a read or a create is repeated. The context of a call may end sooner.
	patience = 2 * time.Minute
)

var creates = regexp.MustCompile(`/(elastigroups|instances|imports|rolls)$`)

// repeater sends again what failed for now and can be repeated without harm, and makes an *Error of what is not a
// success.
type repeater struct {
	inner HttpRequestDoer
}

func (r *repeater) Do(request *http.Request) (*http.Response, error) {
	isCreate := request.Method == http.MethodPost && creates.MatchString(request.URL.Path)
	if isCreate && request.Header.Get(keyHeader) == "" {
		request.Header.Set(keyHeader, rand.Text())
	}
	isRepeatable := isCreate || request.Method == http.MethodGet || request.Method == http.MethodHead
	ctx := request.Context()
	end := time.Now().Add(patience)
	if deadline, has := ctx.Deadline(); has && deadline.Before(end) {
		end = deadline
	}
	for pause := time.Second; ; pause *= 2 {
		response, err := r.wholeAnswer(request)
		if err == nil && response.StatusCode < 400 {
			return response, nil
		}
		isForNow, wait := true, pause
		if err == nil {
			isForNow = isTemporary(response)
			wait = retryAfter(response.Header, pause)
			err = newError(response)
		}
		if !isRepeatable || !isForNow || time.Now().Add(wait).After(end) || sleep(ctx, wait) != nil {
			return nil, err
		}
		if request.GetBody != nil {
			if request.Body, err = request.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// wholeAnswer is an answer with its body in memory: one that breaks off is lost, too.
func (r *repeater) wholeAnswer(request *http.Request) (*http.Response, error) {
	response, err := r.inner.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, err
}

// isTemporary says whether the same request may succeed later. A 409 with Retry-After: the first request with this key
// is under way.
func isTemporary(response *http.Response) bool {
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return response.StatusCode == http.StatusConflict && response.Header.Get("Retry-After") != ""
}

func retryAfter(header http.Header, otherwise time.Duration) time.Duration {
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	return otherwise
}

func sleep(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
