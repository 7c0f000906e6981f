package controls

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// An Outcome is what a control came to.
type Outcome string

// The outcomes.
const (
	Pass      Outcome = "pass"
	Fail      Outcome = "fail"
	Partial   Outcome = "partial"
	NotTested Outcome = "not_tested"
)

// MaxEntries is how many exceptions of a control are named: enough to look at, and
// the number says how many there are.
const MaxEntries = 100

// A Result is what a control came to in a period.
type Result struct {
	Control
	Period     evidence.Period
	Outcome    Outcome
	Population int     // what was looked at
	Exceptions int     // for what of it the control did not hold
	Unknown    int     // what of it could not be judged
	Entries    []int64 // indexes of the exceptions that have an entry, the first MaxEntries
	Detail     []string
}

// env is what all queries know.
type env struct {
	facts  *evidence.Facts
	period evidence.Period
	// end is until when things had to be done: the end of the period, or when the
	// results are made where that is before it.
	end time.Time
}

// A query looks at a log for one thing.
type query interface {
	// take gets every change before the end of the period, in order, and whether it
	// is in the period.
	take(c *evidence.Change, in bool)
	// finish gives what was found.
	finish() *finding
}

// A watcher looks at each entry besides, also at those that were pruned.
type watcher interface {
	see(one *evidence.Entry)
}

// A finding is what a query found.
type finding struct {
	population, unknown int
	exceptions          []int64        // -1 where something should be there and is not
	why                 map[string]int // how often something was an exception, or could not be judged
	untold              string         // why nothing could be judged at all
}

// broken counts an exception.
func (f *finding) broken(index int64, why string) {
	f.exceptions = append(f.exceptions, index)
	f.say(why)
}

// unsure counts something that cannot be judged.
func (f *finding) unsure(why string) {
	f.unknown++
	f.say(why)
}

func (f *finding) say(why string) {
	if f.why == nil {
		f.why = make(map[string]int)
	}
	f.why[why]++
}

// Run tries all controls of a catalogue over a period: one walk of the log.
func Run(ctx context.Context, c Catalogue, log evidence.Source, facts evidence.Facts, period evidence.Period) ([]Result, error) {
	if err := period.Check(); err != nil {
		return nil, err
	}
	e := &env{facts: &facts, period: period, end: period.To}
	if !facts.Made.IsZero() && facts.Made.Before(e.end) {
		e.end = facts.Made
	}
	running := make(map[string]query)
	for _, control := range c.Controls {
		if running[control.Query] == nil {
			known, is := queries[control.Query]
			if !is {
				return nil, fmt.Errorf("%w: %q is not a query", ErrCatalogue, control.Query)
			}
			running[control.Query] = known.make(e)
		}
	}
	pruned, err := walk(ctx, log, period, running)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*finding, len(running))
	for name, q := range running {
		found[name] = q.finish()
	}
	results := make([]Result, len(c.Controls))
	for i, control := range c.Controls {
		results[i] = resultOf(control, period, found[control.Query], pruned)
	}
	return results, nil
}

// walk gives the log to the queries, and tells how many leaves of the period were
// pruned.
func walk(ctx context.Context, log evidence.Source, period evidence.Period, running map[string]query) (pruned int, err error) {
	var all []query
	var watching []watcher
	for _, name := range slices.Sorted(maps.Keys(running)) {
		all = append(all, running[name])
		if w, is := running[name].(watcher); is {
			watching = append(watching, w)
		}
	}
	watched := evidence.Source(func(yield func(evidence.Entry) error) error {
		return log(func(one evidence.Entry) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			for _, w := range watching {
				w.see(&one)
			}
			return yield(one)
		})
	})
	// Those that stand between two entries of which one is in the period, or which
	// are on either side of it, may be of the period.
	gone, over := 0, false
	err = watched.Changes(func(c *evidence.Change) error {
		at := c.Entry.Time
		in := !at.Before(period.From)
		switch {
		case c.Pruned:
			gone++
			return nil
		case !at.Before(period.To):
			if !over {
				pruned += gone
			}
			over = true
			return nil
		case in:
			pruned += gone
		}
		gone = 0
		for _, q := range all {
			q.take(c, in)
		}
		return nil
	})
	if !over {
		pruned += gone
	}
	return pruned, err
}

// resultOf is what a finding says of a control.
func resultOf(c Control, period evidence.Period, f *finding, pruned int) Result {
	r := Result{Control: c, Period: period, Population: f.population, Exceptions: len(f.exceptions), Unknown: f.unknown}
	for _, index := range f.exceptions {
		if index >= 0 && len(r.Entries) < MaxEntries {
			r.Entries = append(r.Entries, index)
		}
	}
	slices.Sort(r.Entries)
	r.Entries = slices.Compact(r.Entries)
	for _, why := range slices.Sorted(maps.Keys(f.why)) {
		r.Detail = append(r.Detail, strconv.Itoa(f.why[why])+": "+why)
	}
	if f.untold != "" {
		r.Detail = append(r.Detail, f.untold)
	}
	switch {
	case r.Exceptions > 0:
		r.Outcome = Fail
	case f.untold != "":
		r.Outcome = NotTested
	case r.Population == 0 && pruned == 0:
		if r.Outcome = NotTested; c.None == Pass {
			r.Outcome = Pass
		}
	case r.Unknown > 0:
		r.Outcome = Partial
	case pruned > 0:
		r.Outcome = Partial
	default:
		r.Outcome = Pass
	}
	if pruned > 0 {
		r.Detail = append(r.Detail, strconv.Itoa(pruned)+": entries of the period whose leaves were pruned, which nobody can look at any more")
	}
	return r
}
