package controls

import (
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// suspensions looks whether anything was given back while it was suspended. What a
// suspension of a part stops is not in the log, only how many it names of each sort:
// it is sound where nothing that it may have stopped was given back while it stood,
// and cannot be judged otherwise.
type suspensions struct {
	base
	whole   bool                   // the tenant is suspended
	parts   map[string]*suspension // those that stood in the period
	streams map[string]stream      // grants that have not ended
}

// A suspension is one of a part.
type suspension struct {
	stands   bool
	endUsers bool // it is about end users: what names none is not stopped
	doubt    bool // something was given back that it may have stopped
}

// A stream is a grant: what it names is given back at any time until it ends.
type stream struct {
	until   time.Time
	endUser bool
}

func newSuspensions(e *env) query {
	return &suspensions{base: base{env: e}, parts: make(map[string]*suspension), streams: make(map[string]stream)}
}

func (q *suspensions) take(c *evidence.Change, in bool) {
	e := &c.Entry
	if !done(e) {
		return
	}
	switch e.Kind {
	case audit.KindTenantSuspend:
		q.whole = true
		if in {
			q.population++
		}
	case audit.KindTenantResume:
		q.whole = false
	case audit.KindSuspend:
		q.begin(e)
	case audit.KindLiftSuspension:
		q.lift(c.Proceeding(), in)
	case audit.KindGrant, audit.KindGrantRenew, audit.KindGrantFlush, audit.KindGrantClose, audit.KindRestore:
		q.given(c, in)
	}
}

func (q *suspensions) begin(e *audit.Entry) {
	s := &suspension{stands: true, endUsers: e.Counts[audit.CountEndUsers] > 0}
	q.parts[strings.Clone(e.ChangeID)] = s
	for _, open := range q.streams {
		if open.until.After(e.Time) {
			s.meets(open.endUser)
		}
	}
}

func (q *suspensions) lift(id string, in bool) {
	s := q.parts[id]
	switch {
	case s == nil:
	case in:
		s.stands = false
	default: // before the period: it is none of it
		delete(q.parts, id)
	}
}

// given is about a change by which something is given back, or may be.
func (q *suspensions) given(c *evidence.Change, in bool) {
	e := &c.Entry
	endUser := e.OnBehalfOf != ""
	switch e.Kind {
	case audit.KindGrant:
		q.streams[strings.Clone(e.ChangeID)] = stream{standsUntil(e), endUser}
	case audit.KindGrantRenew:
		q.streams[strings.Clone(e.AboutOne(audit.ObligationGrant))] = stream{standsUntil(e), endUser}
	case audit.KindGrantClose:
		delete(q.streams, e.AboutOne(audit.ObligationGrant))
	}
	if !in {
		return
	}
	if q.whole && c.Restoration() {
		q.broken(c.First, "a restoration while the tenant was suspended")
	}
	for _, s := range q.parts {
		if s.stands {
			s.meets(endUser)
		}
	}
}

// standsUntil is until when a grant stands, by its entry or by that of its renewal.
func standsUntil(e *audit.Entry) time.Time {
	return e.Time.Add(time.Duration(e.Counts[audit.CountTTL]) * time.Second)
}

// meets is about something that is given back while the suspension stands.
func (s *suspension) meets(endUser bool) { s.doubt = s.doubt || endUser || !s.endUsers }

func (q *suspensions) finish() *finding {
	q.population += len(q.parts)
	for _, s := range q.parts {
		if s.doubt {
			q.unsure("a suspension of a part during which something was given back: what it stops is kept by the service, which judges it in each commit, and is not in the log")
		}
	}
	return &q.finding
}
