package transit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
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

	life   context.Context // of what goes on in the background
	end    context.CancelFunc
	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup
}

func newCaller(s *session) *caller {
	c := &caller{client: s.client, session: s}
	c.life, c.end = context.WithCancel(context.Background())
	c.breaker = gobreaker.NewCircuitBreaker[[]result](gobreaker.Settings{
		Name: "transit", MaxRequests: 1, Timeout: BreakFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= BreakAfter },
		// A tenant without a key says nothing about the server, and must not
		// stop the others.
		IsSuccessful: func(err error) bool {
			return err == nil || errors.Is(err, ErrKeyMissing) || errors.Is(err, errRefused)
		},
		OnStateChange: func(_ string, from, to gobreaker.State) {
			if from == gobreaker.StateClosed && to == gobreaker.StateOpen {
				c.background(c.recover)
			}
		},
	})
	return c
}

// background runs something until close, and nothing after it.
func (c *caller) background(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.work.Go(do)
	}
}

// recover tries every BreakFor whether the server takes the identity, until it
// does. No request is the one that tries: each is refused at once meanwhile.
func (c *caller) recover() {
	for c.breaker.State() != gobreaker.StateClosed && sleep(c.life, BreakFor) {
		_, _ = c.breaker.Execute(func() ([]result, error) { return nil, c.session.check(c.life) })
	}
}

func (c *caller) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	c.work.Wait()
	c.session.close()
}

// ErrKeyMissing says that the tenant has no transit key. It is no version that
// is gone: nothing may be concluded about what the key wrapped.
var ErrKeyMissing = errors.New("transit: the tenant has no key")

// item is one line of a batch. A plaintext is never empty, so that leaving it
// out says that there is none: see frame.
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
	if c.life.Err() != nil {
		return nil, errClosed
	}
	if c.breaker.State() != gobreaker.StateClosed {
		return nil, errOpen
	}
	results, err := c.breaker.Execute(func() ([]result, error) { return c.attempts(ctx, path, items) })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, errOpen // since a moment
	}
	return results, err
}

// attempts sends the batch, once more where the connection broke, and once
// more where the token was not taken.
func (c *caller) attempts(ctx context.Context, path string, items []item) ([]result, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	login := c.session.taken.Load()
	results, err := c.send(ctx, path, items)
	switch {
	case errors.Is(err, errConnection) && sleep(ctx, RetryPause):
		return c.send(ctx, path, items)
	case errors.Is(err, errForbidden):
		if fault := c.session.check(ctx); fault != nil {
			return nil, fault
		}
		if c.session.taken.Load() != login {
			results, err = c.send(ctx, path, items)
		}
		if errors.Is(err, errForbidden) {
			return nil, errRefused // the token is good
		}
	}
	return results, err
}

var (
	errConnection = fmt.Errorf("%w: the connection broke", envelope.ErrUnavailable)
	errForbidden  = fmt.Errorf("%w: the identity is refused", envelope.ErrUnavailable)
	errOpen       = fmt.Errorf("%w: it failed too often in a row, and is left alone for a while", envelope.ErrUnavailable)

	// errRefused is what a tenant without a key gets, too: encrypting for it
	// would make one, which the serving identity may not.
	errRefused = fmt.Errorf("%w: the identity may not do this, or the tenant has no key", envelope.ErrUnavailable)
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
	results, err := judge(response.StatusCode, text, len(items))
	if err == nil {
		// Whoever gave results has read all of it; nobody does any more, as may
		// be where the answer came early or not at all.
		clear(body)
	}
	return results, err
}

// judge makes results of an answer, or says why there are none. Nothing that
// the server says gets into an error.
func judge(status int, text []byte, n int) ([]result, error) {
	var a answer
	decoded := json.Unmarshal(text, &a) == nil
	switch {
	case status == http.StatusForbidden:
		return nil, errForbidden
	// A batch with items that fail has 400, or 500 where the fault is the
	// engine's; the others are good.
	case decoded && len(a.Data.Results) == n:
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
