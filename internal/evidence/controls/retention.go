package controls

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// longestRetention is how long a value may be kept where no setting was given: the
// shipped maximum of a public one.
const longestRetention = 365 * day

// retention looks whether what has expired is destroyed.
type retention struct {
	base
	first int64     // of the first entry that names values which nothing swept yet, -1 without any
	since time.Time // when that was
}

func newRetention(e *env) query { return &retention{base: base{env: e}, first: -1} }

func (q *retention) take(c *evidence.Change, in bool) {
	e := &c.Entry
	switch {
	case e.Kind == audit.KindSweep:
		if in {
			q.population++
		}
		// Which of the values went is not told apart: from here on it counts anew.
		q.first = -1
	case e.Kind == audit.KindTokenize && done(e) && len(e.Tokens) > 0 && q.first < 0:
		q.first, q.since = c.First, e.Time
	}
}

func (q *retention) finish() *finding {
	longest := time.Duration(0)
	for _, setting := range q.facts.Retention {
		longest = max(longest, setting.For)
	}
	if longest == 0 {
		longest = longestRetention
	}
	if q.first >= 0 && q.end.Sub(q.since) > longest+grace {
		q.population++
		q.broken(q.first, "values that must have expired, and no sweep since")
	}
	return &q.finding
}

// keptLeast is how long the leaf of any entry is kept: those of prompts 13 months,
// which are no fewer days, the others longer.
const keptLeast = 393 * day

// logRetained looks whether leaves were pruned too early, or by nobody.
type logRetained struct {
	base
	runs   []prunedRun
	prunes []prune
	last   time.Time // of the last entry that has a time
	size   int64
}

// A prunedRun are entries in a row, [from, to), which are no older than after.
type prunedRun struct {
	from, to int64
	after    time.Time
}

// A prune is an entry that speaks for the range [from, to).
type prune struct {
	from, to int64
	at       time.Time
}

func newLogRetained(e *env) query { return &logRetained{base: base{env: e}} }

func (q *logRetained) see(one *evidence.Entry) {
	q.size = one.Index + 1
	if !one.Pruned() {
		q.last = one.Entry.Time
		return
	}
	if n := len(q.runs); n > 0 && q.runs[n-1].to == one.Index {
		q.runs[n-1].to++
		return
	}
	q.runs = append(q.runs, prunedRun{one.Index, one.Index + 1, q.last})
}

func (q *logRetained) take(c *evidence.Change, in bool) {
	if in {
		q.population += int(c.Last - c.First + 1)
	}
	if e := &c.Entry; e.Kind == audit.KindPrune {
		q.prunes = append(q.prunes, prune{int64(e.Counts["from"]), int64(e.Counts["to"]), e.Time})
	}
}

func (q *logRetained) finish() *finding {
	for _, run := range q.runs {
		first := q.firstPrune(run)
		switch {
		case first == nil:
			q.broken(run.from, "leaves that are gone, and no entry says that they were to be pruned")
		case first.at.Sub(run.after) < keptLeast && !run.after.IsZero():
			q.broken(run.from, "leaves that were pruned in their first thirteen months")
		}
	}
	q.population += len(q.runs)
	return &q.finding
}

// firstPrune is the first entry that speaks for a run.
func (q *logRetained) firstPrune(run prunedRun) *prune {
	for i := range q.prunes {
		if p := &q.prunes[i]; p.from <= run.from && run.to <= p.to {
			return p
		}
	}
	return nil
}
