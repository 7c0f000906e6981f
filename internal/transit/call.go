package transit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/sony/gobreaker/v2"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// caller makes calls of the engine, and gives up early where the server is ill.
type caller struct {
	client  *api.Client
	session *session
	breaker *gobreaker.CircuitBreaker[[]result]
	calls   atomic.Int64 // that were sent
	items   atomic.Int64 // that they held
}

func newCaller(client *api.Client, s *session) *caller {
	return &caller{client: client, session: s, breaker: gobreaker.NewCircuitBreaker[[]result](gobreaker.Settings{
		Name: "transit", MaxRequests: 1, Timeout: BreakFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= BreakAfter },
		// A key that is missing, or a caller that left, says nothing about the
		// server.
		IsSuccessful: func(err error) bool {
			return err == nil || errors.Is(err, ErrKeyMissing) || errors.Is(err, envelope.ErrInvalid)
		},
	})}
}

// ErrKeyMissing says that the tenant has no transit key. It is no version that
// is gone: nothing may be concluded about what the key wrapped.
var ErrKeyMissing = errors.New("transit: the tenant has no key")

// item is one line of a batch. A plaintext is never empty: see frame.
type item struct {
	Plaintext  []byte `json:"plaintext,omitempty"`
	Ciphertext string `json:"ciphertext,omitempty"`
}

// result is one line of the answer.
type result struct {
	Plaintext  []byte `json:"plaintext"`
	Ciphertext string `json:"ciphertext"`
	Error      string `json:"error"`
}

// do sends one batch and returns as many results.
func (c *caller) do(ctx context.Context, path string, items []item) ([]result, error) {
	results, err := c.breaker.Execute(func() ([]result, error) { return c.attempts(ctx, path, items) })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, fmt.Errorf("%w: it failed too often in a row, and is left alone for %s", envelope.ErrUnavailable, BreakFor)
	}
	return results, err
}

// attempts sends the batch, once more where the connection broke, and once
// more where the token was not taken.
func (c *caller) attempts(ctx context.Context, path string, items []item) ([]result, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	login := c.session.count()
	results, err := c.send(ctx, path, items)
	switch {
	case errors.Is(err, errConnection) && sleep(ctx, RetryPause):
		return c.send(ctx, path, items)
	case errors.Is(err, errForbidden):
		if again := c.session.again(ctx, login); again != nil {
			return nil, again
		}
		return c.send(ctx, path, items)
	}
	return results, err
}

var (
	errConnection = fmt.Errorf("%w: the connection broke", envelope.ErrUnavailable)
	errForbidden  = fmt.Errorf("%w: the identity is refused", envelope.ErrUnavailable)
)

// batch is the body of every call.
type batch struct {
	Items []item `json:"batch_input"`
}

// answer is what of a response matters.
type answer struct {
	Data struct {
		Results []result `json:"batch_results"`
	} `json:"data"`
	Errors []string `json:"errors"`
}

func (c *caller) send(ctx context.Context, path string, items []item) ([]result, error) {
	body, err := json.Marshal(batch{items})
	if err != nil {
		return nil, fmt.Errorf("transit: encode: %w", err)
	}
	defer clear(body) // it may hold keys
	c.calls.Add(1)
	c.items.Add(int64(len(items)))
	// The client makes an error of a status like 400, and leaves the body to be
	// read all the same.
	response, err := c.client.Logical().WriteRawWithContext(ctx, path, body)
	if response == nil {
		return nil, transportError(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, transportError(ctx, err)
	}
	defer clear(text)
	return judge(response.StatusCode, text, len(items))
}

// judge makes results of an answer, or says why there are none. Nothing that
// the server says gets into an error.
func judge(status int, text []byte, n int) ([]result, error) {
	var a answer
	decoded := json.Unmarshal(text, &a) == nil
	switch {
	case status == http.StatusForbidden:
		return nil, errForbidden
	case (status == http.StatusOK || status == http.StatusBadRequest) && decoded && len(a.Data.Results) == n:
		return a.Data.Results, nil
	case status == http.StatusBadRequest && decoded && mentions(a.Errors, "encryption key not found", "no existing key named"),
		status == http.StatusNotFound:
		return nil, fmt.Errorf("%w: %w", envelope.ErrUnavailable, ErrKeyMissing)
	default:
		return nil, fmt.Errorf("%w: it answered with status %d", envelope.ErrUnavailable, status)
	}
}

func mentions(texts []string, any ...string) bool {
	for _, text := range texts {
		for _, part := range any {
			if strings.Contains(text, part) {
				return true
			}
		}
	}
	return false
}

// transportError is what a call without an answer comes to. The error of the
// client may hold the address with a path.
func transportError(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: it did not answer in %s", envelope.ErrUnavailable, CallTimeout)
	case ctx.Err() != nil:
		return fmt.Errorf("transit: %w", ctx.Err())
	default:
		return errConnection
	}
}

// kindOf says in a word what an error of the client is about.
func kindOf(err error) string {
	var refused *api.ResponseError
	switch {
	case errors.As(err, &refused):
		return fmt.Sprintf("status %d", refused.StatusCode)
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in " + CallTimeout.Round(time.Second).String()
	default:
		return "no connection, or no file"
	}
}
