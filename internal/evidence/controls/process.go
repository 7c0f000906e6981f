package controls

import (
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// replicas looks whether the process ends as it should. Starts and stops are in the
// log of the system.
type replicas struct {
	base
	running map[string]bool
}

func newReplicas(e *env) query { return &replicas{base{env: e}, make(map[string]bool)} }

func (q *replicas) take(c *evidence.Change, in bool) {
	name := c.Entry.Replica
	switch c.Entry.Kind {
	case audit.KindServiceStart:
		if in {
			q.population++
			if q.running[name] {
				q.broken(c.First, "a replica that began again without having stopped: it crashed, or was killed")
			}
		}
		q.running[strings.Clone(name)] = true
	case audit.KindServiceStop:
		q.running[name] = false
	}
}

// maxFailedLogins is how many requests of one minute may have no valid credential: ten
// a second are more than clients whose credentials have just expired.
const maxFailedLogins = 600

// logins looks for bursts of requests without a valid credential. They are in the log
// of the system.
type logins struct{ base }

func newLogins(e *env) query { return &logins{base{env: e}} }

func (q *logins) take(c *evidence.Change, in bool) {
	if !in || c.Entry.Kind != audit.KindAuthFailures {
		return
	}
	q.population++
	if sum(c.Entry.Counts) > maxFailedLogins {
		q.broken(c.First, "a minute of guessing, or of clients that are set up wrongly")
	}
}

// exportLag is within how long an entry is to be outside.
const exportLag = day

// export looks whether the log is outside.
type export struct {
	base
	oldest int64 // entry that is not, -1 without any
	since  time.Time
}

func newExport(e *env) query { return &export{base: base{env: e}, oldest: -1} }

func (q *export) take(c *evidence.Change, in bool) {
	if in {
		q.population += int(c.Last - c.First + 1)
	}
	if state := q.facts.Export; state != nil && c.Last >= state.Next && q.oldest < 0 {
		q.oldest, q.since = max(c.First, state.Next), c.Entry.Time
	}
}

func (q *export) finish() *finding {
	state := q.facts.Export
	if state == nil {
		return &finding{untold: "nothing is exported, or it was not given how far"}
	}
	if q.oldest >= 0 && state.At.Sub(q.since) > exportLag {
		q.broken(q.oldest, "entries that were not exported within a day; the first of them is named")
	}
	return &q.finding
}
