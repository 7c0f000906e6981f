package controls

import (
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// Within how long persons are answered. GDPR Art. 12(3): a month, and two more where
// it is extended; CCPA 1798.130(a)(2): 45 days, and 45 more; HIPAA 164.524(b)(2): 30
// days, and 30 more. The log does not say which of them a request is under.
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
	extended         bool
}

func newRequests(e *env) query { return &requests{base{env: e}, make(map[string]*request), nil} }

// answering are the steps that answer a request, as entries have them in their code.
var answering = []string{"complete", "lift", "refuse", "restrict", "withdraw"}

func (q *requests) take(c *evidence.Change, _ bool) {
	e := &c.Entry
	if !done(e) {
		return
	}
	asked := q.byID[about(e, requestPrefix)]
	switch e.Kind {
	case audit.KindRequestOpen:
		asked = &request{index: c.First, opened: e.Time}
		q.byID[e.ChangeID] = asked
		q.order = append(q.order, asked)
		return
	case audit.KindRequestChange, audit.KindRestrict, audit.KindLiftRestriction:
		if asked == nil {
			return
		}
		asked.extended = asked.extended || e.Code == "extend"
		if slices.Contains(answering, e.Code) && asked.answered.IsZero() {
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

func (q *requests) finish() *finding {
	for _, r := range q.order {
		end, open := r.answered, r.answered.IsZero()
		if open {
			end = q.end
		}
		took := end.Sub(r.opened)
		late := took > answerExtended || took > answerAtMost && !r.extended
		if open && took <= answerSurely || !open && !q.period.Holds(r.answered) {
			continue
		}
		q.population++
		switch {
		case late && open:
			q.broken(r.index, "a request that was not answered in time")
		case late:
			q.broken(r.index, "a request that was answered too late")
		case took > answerSurely && !r.extended:
			q.unsure("a request that took between 30 and 45 days: its regime, which says how long it may, is not in the log")
		}
	}
	return &q.finding
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
	if about(e, requestPrefix) == "" && about(e, "identity:") == "" {
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
