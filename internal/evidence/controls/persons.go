package controls

import (
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// Within how long persons are answered. GDPR Art. 12(3): a month, and two more where
// it is extended; CCPA 1798.130(a)(2): 45 days, and 45 more; HIPAA 164.524(b)(2): 30
// days, and 30 more. Entries say when a request is due; those of older versions do not,
// and are judged by what is so under each of them.
const (
	answerSurely   = 30 * day // in time under each of them
	answerAtMost   = 45 * day // late under each of them, unless it was extended
	answerExtended = 92 * day // three months: late whatever was written
)

// requests looks whether persons are answered in time.
type requests struct {
	base
	byID  map[string]*request
	order []*request
}

type request struct {
	index            int64
	opened, answered time.Time
	due              time.Time // zero where the entries do not say it
	extended         bool
	objection        bool
}

func newRequests(e *env) query { return &requests{base{env: e}, make(map[string]*request), nil} }

// answering are the steps that answer a request, as entries have them in their code.
var answering = []string{"complete", "lift", "refuse", "restrict", "withdraw"}

func (q *requests) take(c *evidence.Change, _ bool) {
	e := &c.Entry
	if !done(e) {
		return
	}
	asked := q.byID[e.AboutOne(requestPrefix)]
	switch e.Kind {
	case audit.KindRequestOpen:
		asked = &request{index: c.First, opened: e.Time, due: e.Instant(audit.CountDueAt), objection: e.Code == "objection"}
		q.byID[e.ChangeID] = asked
		q.order = append(q.order, asked)
		return
	case audit.KindRequestChange, audit.KindRestrict, audit.KindLiftRestriction:
		if asked == nil {
			return
		}
		if e.Code == "extend" {
			asked.extended, asked.due = true, e.Instant(audit.CountDueAt)
		}
		if asked.answeredBy(e.Code) && asked.answered.IsZero() {
			asked.answered = e.Time
		}
	case audit.KindErase:
		// What a hold keeps is restricted, and that is its answer for now. An erasure
		// at once is its own request.
		if asked != nil && asked.answered.IsZero() {
			asked.answered = e.Time
		}
	}
}

// answeredBy tells whether a step answers the request. An objection restricts only
// until somebody decided on it.
func (r *request) answeredBy(code string) bool {
	return slices.Contains(answering, code) && (code != "restrict" || !r.objection)
}

func (q *requests) finish() *finding {
	for _, r := range q.order {
		end, open := r.answered, r.answered.IsZero()
		if open {
			end = q.end
		}
		late, unsure, early := r.judge(end)
		if open && early || !open && !q.period.Holds(r.answered) {
			continue
		}
		q.population++
		switch {
		case late && open:
			q.broken(r.index, "a request that was not answered in time")
		case late:
			q.broken(r.index, "a request that was answered too late")
		case unsure:
			q.unsure("a request that took between 30 and 45 days: its entry is of an older version and does not say until when it might")
		}
	}
	return &q.finding
}

// judge tells whether a request is late at an end, whether that cannot be told, and
// whether one that is open still has time. When it is due stands in whole seconds.
func (r *request) judge(end time.Time) (late, unsure, early bool) {
	if !r.due.IsZero() {
		late = end.Truncate(time.Second).After(r.due)
		return late, false, !late
	}
	took := end.Sub(r.opened)
	late = took > answerExtended || took > answerAtMost && !r.extended
	return late, took > answerSurely && !r.extended, took <= answerSurely
}

// erasureWords looks on whose word persons are erased.
type erasureWords struct{ base }

func newErasureWords(e *env) query { return &erasureWords{base{env: e}} }

func (q *erasureWords) take(c *evidence.Change, in bool) {
	e := &c.Entry
	if !in || e.Kind != audit.KindErase || !done(e) {
		return
	}
	q.population++
	if e.AboutOne(requestPrefix) == "" && e.AboutOne("identity:") == "" {
		q.broken(c.First, "an erasure that names neither a request nor how the person was identified")
	}
}

// lookAgain is how long a hold may stand without that anybody looks at it.
const lookAgain = 366 * day

// holds looks whether somebody comes back to holds.
type holds struct {
	base
	standing map[string]*hold
}

type hold struct {
	index  int64
	looked time.Time
}

func newHolds(e *env) query { return &holds{base{env: e}, make(map[string]*hold)} }

func (q *holds) take(c *evidence.Change, _ bool) {
	e := &c.Entry
	if !done(e) {
		return
	}
	for _, id := range e.HoldIDs {
		switch e.Kind {
		case audit.KindHoldPlace:
			q.standing[id] = &hold{c.First, e.Time}
		case audit.KindHoldReview:
			if h := q.standing[id]; h != nil {
				h.looked = e.Time
			}
		case audit.KindHoldRelease:
			delete(q.standing, id)
		}
	}
}

func (q *holds) finish() *finding {
	for _, h := range q.standing {
		q.population++
		if q.end.Sub(h.looked) > lookAgain {
			q.broken(h.index, "a hold that nobody looked at for a year")
		}
	}
	return &q.finding
}
