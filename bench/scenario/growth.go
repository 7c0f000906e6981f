package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/bench/fill"
	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

const (
	// mostGrowth is how much longer the median request may take in the largest database
	// than in the smallest.
	mostGrowth = 1.5
	// growthMeasured bounds how long a load is measured at each size: tokenizing adds to
	// the database, and the smallest size is to remain about that.
	growthMeasured = 2 * time.Second
	// growthWarm comes after a checkpoint: the first writes to each page after one go to the
	// WAL whole, and a table of ten million rows has many more pages than requests in a
	// second.
	growthWarm = 5 * time.Second
)

// An axis is what grows while all else stays as it is.
type axis struct {
	name  string
	sizes []int64
	from  int64 // the size that the goal compares the largest with
	fill  func(ctx context.Context, f *fill.Fill, to int64) error
}

// wholeEntries is up to where the log is filled with entries like those of tokenizing. One
// of them has 16 terms to be searched by, all in all about three kilobytes; those beyond
// are of a sweep, of under one, or the log of 10^7 would take half a disk.
const wholeEntries = 1_000_000

func axes(l lengths) []axis {
	upTo := func(most int64, sizes ...int64) []int64 {
		return slices.DeleteFunc(sizes, func(n int64) bool { return n > most })
	}
	return []axis{
		{
			name: "mappings", from: 10_000, sizes: upTo(l.mappings, 10_000, 100_000, 1_000_000, 10_000_000),
			fill: func(ctx context.Context, f *fill.Fill, to int64) error { return f.Mappings(ctx, to) },
		},
		{
			name: "entries", from: 1_000_000, sizes: upTo(l.entries, 10_000, 100_000, 1_000_000, 10_000_000),
			fill: func(ctx context.Context, f *fill.Fill, to int64) error {
				if err := f.Entries(ctx, min(to, wholeEntries), false); err != nil {
					return err
				}
				return f.Entries(ctx, to, true)
			},
		},
	}
}

// growth is one axis on its way.
type growth struct {
	*core
	axis
	held   map[*face][]holding
	points []point
}

// point is what was measured at one size.
type point struct {
	size     int64
	restore  report.Figure // medians in milliseconds
	tokenize report.Figure
	floor    report.Figure // of the floor's restore, whose database stays as it is
}

// Growth measures the two usual works in databases that grow, and what a row of them
// takes. Each axis has a site of its own.
func Growth(ctx context.Context, e *Env) error {
	l, err := lengthsFrom(os.Getenv)
	if err != nil {
		return err
	}
	for _, a := range axes(l) {
		err := e.alone(ctx, "growth-"+a.name, func(ctx context.Context, c *core, _ lengths) error {
			c.Warm, c.For = growthWarm, min(c.For, growthMeasured)
			g := &growth{core: c, axis: a}
			return g.walk(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// walk measures at each size, in a service that was started on it.
func (g *growth) walk(ctx context.Context) (err error) {
	if err := g.room(); err != nil {
		return err
	}
	floor, err := g.Site.Floor(ctx)
	if err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	defer func() { err = errors.Join(err, floor.Stop(context.WithoutCancel(ctx))) }()
	g.floor = &face{of: system.Floor, on: floor, client: load.NewClient(connections)}
	defer g.floor.client.Close()
	g.held = make(map[*face][]holding)
	for _, f := range g.faces() {
		// Ten thousand mappings: the first size.
		if g.held[f], err = g.holdings(ctx, f, scopesOfFew, few); err != nil {
			return fmt.Errorf("scenario: what is restored: %w", err)
		}
	}
	for _, size := range g.sizes {
		if err := g.grow(ctx, size); err != nil {
			return err
		}
		if err := g.wake(ctx); err != nil {
			return err
		}
		if err := g.measureAt(ctx, size); err != nil {
			return err
		}
	}
	return g.conclude(ctx)
}

// grow stops the service, fills the database, and starts it again.
func (g *growth) grow(ctx context.Context, size int64) error {
	if err := g.service.on.Stop(ctx); err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	began := time.Now()
	if err := g.filled(ctx, size); err != nil {
		return fmt.Errorf("scenario: %s %s: %w", grouped(size), g.name, err)
	}
	again, err := g.Site.Again(ctx, g.service.on)
	if err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	g.service.on = again
	g.Say("%s %s: filled in %s, ready after %s", grouped(size), g.name,
		time.Since(began).Round(time.Second), again.ReadyAfter.Round(time.Millisecond))
	g.Report.Notes = append(g.Report.Notes, fmt.Sprintf("With %s %s the service is ready %s after its start.",
		grouped(size), g.name, again.ReadyAfter.Round(time.Millisecond)))
	return nil
}

func (g *growth) filled(ctx context.Context, size int64) (err error) {
	f, err := fill.Open(ctx, g.Site.AdminDSN(), g.Site.Tenants()[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(context.WithoutCancel(ctx))) }()
	if err := g.fill(ctx, f, size); err != nil {
		return err
	}
	if err := f.Tidy(ctx); err != nil {
		return err
	}
	return g.weigh(ctx, f, size)
}

// wake restores everything once: the caches of a service that has just started are empty,
// and are to be as full as at any other size.
func (g *growth) wake(ctx context.Context) error {
	hands, held := make([]hand, usual), g.held[g.service]
	err := together(ctx, len(held), len(hands), func(ctx context.Context, worker, n int) error {
		h := &hands[worker]
		h.body = held[n].request
		return g.service.post(ctx, g.service.restorePath(), h, http.StatusOK)
	})
	if err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	return nil
}

// measureAt measures in turns: the floor, whose database does not grow, tells whether the
// machine is as fast as it was at the size before.
func (g *growth) measureAt(ctx context.Context, size int64) error {
	at := fmt.Sprintf("%s, %s %s", loadOf(usual), grouped(size), g.name)
	restoring := func(f *face) *trial {
		t := g.trial(f, restoreWork, usual, few, g.once(f))
		t.Load = at
		return t
	}
	floor, restore := restoring(g.floor), restoring(g.service)
	tokenize := g.trial(g.service, tokenizeWork, usual, few, g.tokenizingOnce)
	tokenize.Load = at
	if err := g.interleave(ctx, floor, restore, tokenize); err != nil {
		return err
	}
	g.points = append(g.points, point{size, restore.P50, tokenize.P50, floor.P50})
	return nil
}

func (g *growth) once(f *face) func() (load.Do, func(context.Context) error) {
	return func() (load.Do, func(context.Context) error) { return f.restoring(g.held[f], usual), nil }
}

func (g *growth) tokenizingOnce() (load.Do, func(context.Context) error) {
	return g.tokenizing(g.service, usual, few)
}
