package controls

import (
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// The clocks of an incident: GDPR Art. 33(1), 45 CFR 164.404(b).
const (
	authorityClock = 72 * time.Hour
	personsClock   = 60 * day
)

// incidents looks whether those were told who have to be.
type incidents struct {
	base
	byID  map[string]*incident
	order []*incident
}

type incident struct {
	index                             int64
	began, authority, persons, closed time.Time // began is from when on the clocks run
}

func newIncidents(e *env) query { return &incidents{base{env: e}, make(map[string]*incident), nil} }

func (q *incidents) take(c *evidence.Change, _ bool) {
	e := &c.Entry
	if !done(e) {
		return
	}
	if e.Kind == audit.KindIncidentOpen {
		o := &incident{index: c.First, began: e.Instant(audit.CountAwareAt)}
		if o.began.IsZero() { // an older version did not say it
			o.began = e.Time
		}
		q.byID[e.ChangeID] = o
		q.order = append(q.order, o)
		return
	}
	o := q.byID[c.Proceeding()]
	switch {
	case o == nil || e.Kind != audit.KindIncidentChange:
	case strings.HasPrefix(e.Code, "closed_"):
		o.closed = e.Time
	case e.Code == "authority_notified" && o.authority.IsZero():
		o.authority = e.Time
	case e.Code == "persons_notified" && o.persons.IsZero():
		o.persons = e.Time
	}
}

func (q *incidents) finish() *finding {
	for _, o := range q.order {
		if !o.closed.IsZero() && o.closed.Before(q.period.From) {
			continue
		}
		q.population++
		switch {
		case q.late(o, o.authority, authorityClock):
			q.broken(o.index, "an incident of which the authority was not told within 72 hours, and which was not closed by then")
		case q.late(o, o.persons, personsClock):
			q.broken(o.index, "an incident of which the persons were not told within 60 days, and which was not closed by then")
		}
	}
	return &q.finding
}

// late tells whether a clock ran out. It stops when it is answered, or the incident
// is closed.
func (q *incidents) late(o *incident, answered time.Time, within time.Duration) bool {
	stopped := answered
	if stopped.IsZero() {
		stopped = o.closed
	}
	if stopped.IsZero() {
		stopped = q.end
	}
	return stopped.Sub(o.began) >= within
}
