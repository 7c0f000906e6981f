package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"

	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/payload"
)

// Detection is how the texts of one tenant are searched.
type Detection struct {
	Detector *detect.Detector
	// Analyze asks somebody outside as well; nil asks nobody. It must not pass on
	// what stands in the reserved ranges, and returns spans of the text that touch
	// none of them. It may be called for several texts at once.
	Analyze func(ctx context.Context, text string, reserved [][2]int) ([]detect.Span, error)
	// AnalyzerVersion changes with whatever is known to decide what Analyze finds.
	AnalyzerVersion string
	// Optional says that texts pass which Analyze could not look at. The answer and
	// the entry then say how many.
	Optional bool
}

// asks tells whether a part of a request is for the analyzer: language is. The
// name of a member or a number by itself is none.
func (d *Detection) asks(p *part) bool {
	return d.Analyze != nil && p.kind == payload.KindText &&
		strings.ContainsFunc(p.text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// searched is what was found in a text.
type searched struct {
	detect.Found
	unanalyzed bool // the analyzer did not see it, and need not
	refused    bool // nor was it asked, since the text goes nowhere
}

// search looks for what there is in a part around ranges that are spoken for. A
// text that is refused for what we find ourselves, such as a secret, is shown to
// nobody else.
func (d *Detection) search(ctx context.Context, p *part, reserved [][2]int, refused func(detect.Found) bool) (out searched, err error) {
	var more []detect.Span
	if d.asks(p) {
		own, err := d.Detector.Search(ctx, p.text, reserved, nil)
		if err != nil || refused(own) {
			return searched{Found: own, refused: true}, err
		}
		more, err = d.Analyze(ctx, p.text, reserved)
		switch {
		case err == nil:
		case ctx.Err() != nil || !d.Optional:
			// What cannot be searched does not pass (invariant 18).
			return searched{}, fmt.Errorf("%w: the external analyzer: %w", detect.ErrFailed, err)
		default:
			out.unanalyzed = true
		}
	}
	out.Found, err = d.Detector.Search(ctx, p.text, reserved, more)
	return out, err
}

// detection is that of a tenant.
func (c *Config) detection() func(tenant string) Detection {
	if c.Detection != nil {
		return c.Detection
	}
	return func(string) Detection { return Detection{Detector: c.Detector} }
}

// AnalysesAtOnce is how many texts of one request are with an analyzer at the
// same time: a body of a long chat has dozens.
const AnalysesAtOnce = 8

// each does something for every number below n: one after the other, or where
// somebody is waited for, some at once. The error is the first there was.
func each(ctx context.Context, n, atOnce int, do func(ctx context.Context, i int) error) error {
	if atOnce <= 1 || n <= 1 {
		for i := range n {
			if err := do(ctx, i); err != nil {
				return err
			}
		}
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, atOnce) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && ctx.Err() == nil; i = next.Add(1) - 1 {
				if err := safely(ctx, int(i), do); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// safely keeps a panic from ending the process: nobody else stands above a
// goroutine of its own. The value may quote the text and is dropped.
func safely(ctx context.Context, i int, do func(ctx context.Context, i int) error) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanicked
		}
	}()
	return do(ctx, i)
}

var errPanicked = errors.New("vault: a search panicked")
