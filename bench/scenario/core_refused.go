package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/counterfoil/counterfoil/bench/load"
)

const (
	refusedWork  = "refused request"
	collapseWork = "refused again and again"
)

// refused asks for values for a reason that a gateway has no right to. Each refusal is a
// durable entry before it is answered. Identical ones of a caller share one entry a minute, so
// those of the first work name another end user each time; the second has none but identical
// ones.
func (c *core) refused(ctx context.Context) error {
	const scope = "refused"
	held, err := c.holdings(ctx, c.service, 1, few)
	if err != nil {
		return fmt.Errorf("scenario: what is refused: %w", err)
	}
	body := bytes.Replace(held[0].request, []byte(`"LLM_RESPONSE"`), []byte(`"CUSTOMER_SUPPORT","reference":"TICKET-7"`), 1)
	floor := c.trial(c.floor, refusedWork, usual, 0, func() (load.Do, func(context.Context) error) {
		hands := make([]hand, usual)
		values := []string{"t1", "t2", "t3", "t4", "t5"}
		return func(ctx context.Context, client int, _ int64) error {
			h := &hands[client]
			h.body = c.floor.restoreBody(h.body[:0], scope, values)
			return c.floor.post(ctx, "/deny", h, http.StatusForbidden)
		}, nil
	})
	return c.interleave(ctx, floor, c.refusing(refusedWork, body, true), c.refusing(collapseWork, body, false))
}

// refusing sends one request again and again, for an end user who differs each time or for
// none.
func (c *core) refusing(work string, body []byte, differ bool) *trial {
	f := c.service
	return c.trial(f, work, usual, 0, func() (load.Do, func(context.Context) error) {
		hands := make([]hand, usual)
		series := strconv.FormatInt(c.series.Add(1), 10)
		return func(ctx context.Context, client int, n int64) error {
			h := &hands[client]
			h.body = body
			if !differ {
				return f.post(ctx, f.restorePath(), h, http.StatusForbidden)
			}
			return f.postFor(ctx, "user-"+series+"-"+strconv.FormatInt(n, 10), h, http.StatusForbidden)
		}, nil
	})
}

// postFor is post for an end user, whom a gateway names in a header.
func (f *face) postFor(ctx context.Context, user string, h *hand, want int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.on.URL+f.restorePath(), bytes.NewReader(h.body))
	if err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+f.bearer)
	req.Header.Set("Counterfoil-End-User", user)
	res, err := f.forUsers.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	_, err = io.Copy(io.Discard, res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	if res.StatusCode != want {
		return fmt.Errorf("%s%s: status %d, want %d", f.of, f.restorePath(), res.StatusCode, want)
	}
	return nil
}
