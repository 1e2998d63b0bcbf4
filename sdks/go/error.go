package spotapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Error is an answer that is not a success. errors.AsType finds it in what a call returns. Its Type may be one that
// this package does not know: decide by StatusCode then.
type Error struct {
	Problem
	StatusCode int
	Header     http.Header
}

func (e *Error) Error() string {
	message := fmt.Sprintf("%d %s: %s", e.StatusCode, e.Title, e.Detail)
	if e.Hint != nil {
		message += " " + *e.Hint
	}
	return message
}

// newError makes an error of an answer. One that is no problem, such as a proxy's, gets its status as title and its text
// as detail.
func newError(response *http.Response) error {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	failure := &Error{StatusCode: response.StatusCode, Header: response.Header}
	if json.Unmarshal(body, &failure.Problem) != nil || failure.Title == "" {
		failure.Problem = Problem{
			Type: "about:blank", Title: http.StatusText(response.StatusCode), Status: response.StatusCode,
			Detail: string(body),
		}
	}
	return failure
}
