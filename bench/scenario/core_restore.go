package scenario

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
)

const (
	restoreWork     = "restore 5 tokens"
	restoreManyWork = "restore 50 tokens"
	openLoad        = "open loop, half of peak"
)

// How many scopes tokens are restored from: their keys fit into the caches of a replica,
// as those of the conversations of an hour do, and their rows are spread over the table.
const (
	scopesOfFew  = 2000
	scopesOfMany = 400
)

// holding is what a scope holds, and how it is asked for.
type holding struct {
	request []byte
	values  []string
}

// holdings tokenizes items values in each of so many scopes.
func (c *core) holdings(ctx context.Context, f *face, scopes, items int) ([]holding, error) {
	held := make([]holding, scopes)
	series := c.series.Add(1)
	hands := make([]hand, usual)
	err := together(ctx, scopes, len(hands), func(ctx context.Context, worker, n int) error {
		h := &hands[worker]
		h.scope = "held-" + strconv.Itoa(items) + "-" + strconv.Itoa(n)
		h.sent = values(nil, series, int64(n), items)
		h.body = valuesBody(h.body[:0], h.scope, h.sent)
		if err := f.post(ctx, f.tokenizePath(), h, http.StatusOK); err != nil {
			return err
		}
		tokens, err := tokensIn(h.answer.Bytes(), f.tokensMember(), h.sent)
		held[n] = holding{request: f.restoreBody(nil, h.scope, tokens), values: h.sent}
		return err
	})
	return held, err
}

// together does what is not measured, so many at once, and stops at the first error.
func together(ctx context.Context, n, workers int, do func(ctx context.Context, worker, n int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < n && ctx.Err() == nil; i += workers {
				if err := do(ctx, w, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// restoring asks for the tokens of one scope after the other.
func (f *face) restoring(held []holding, clients int) load.Do {
	hands := make([]hand, clients)
	return func(ctx context.Context, client int, n int64) error {
		h, from := &hands[client], &held[n%int64(len(held))]
		h.body = from.request
		if err := f.post(ctx, f.restorePath(), h, http.StatusOK); err != nil {
			return err
		}
		return sameList(h.answer.Bytes(), "values", from.values)
	}
}

// restore gives the tokens of a prompt back, five as an answer of a model holds, and
// fifty as a report does.
func (c *core) restore(ctx context.Context) error {
	for _, w := range []struct {
		work          string
		scopes, items int
		clients       []int
		alone         func(ctx context.Context) (*trial, error)
	}{
		{restoreWork, scopesOfFew, few, c.at(), nil},
		{restoreManyWork, scopesOfMany, many, []int{usual}, c.transitDecrypt},
	} {
		held := make(map[*face][]holding)
		for _, f := range c.faces() {
			var err error
			if held[f], err = c.holdings(ctx, f, w.scopes, w.items); err != nil {
				return fmt.Errorf("scenario: what is restored: %w", err)
			}
		}
		// As on any server that has run for a minute.
		if err := c.Site.Analyze(ctx); err != nil {
			return fmt.Errorf("scenario: %w", err)
		}
		for _, clients := range w.clients {
			var trials []*trial
			for _, f := range c.faces() {
				trials = append(trials, c.trial(f, w.work, clients, w.items, func() (load.Do, func(context.Context) error) {
					return f.restoring(held[f], clients), nil
				}))
			}
			if w.alone != nil {
				alone, err := w.alone(ctx)
				if err != nil {
					return err
				}
				trials = append(trials, alone)
			}
			if err := c.interleave(ctx, trials...); err != nil {
				return err
			}
		}
		if w.items == few {
			if err := c.half(ctx, held); err != nil {
				return err
			}
		}
	}
	return nil
}

// half is the open loop: requests arrive at half the rate that the closed loops reached
// at best, and wait where they must.
func (c *core) half(ctx context.Context, held map[*face][]holding) error {
	var trials []*trial
	for _, f := range c.faces() {
		rate := math.Floor(c.peak(restoreWork, f.of) / 2)
		if rate < 1 {
			return errors.New("scenario: there is no peak to take half of")
		}
		trials = append(trials, &trial{
			Measurement: report.Measurement{Work: restoreWork, Of: f.of, Load: openLoad, Items: few},
			services:    f.services(),
			run: func(ctx context.Context, plan load.Plan) (load.Result, error) {
				plan.Clients = connections
				return load.Open(ctx, plan, rate, f.restoring(held[f], plan.Clients))
			},
		})
	}
	return c.interleave(ctx, trials...)
}

// peak is the best median rate of a work over the numbers of clients.
func (c *core) peak(work, of string) float64 {
	best := 0.0
	for _, clients := range c.at() {
		if m := c.Report.Find(work, of, loadOf(clients)); m != nil {
			best = max(best, m.PerSecond.Median())
		}
	}
	return best
}
