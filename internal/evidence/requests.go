package evidence

import (
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// requests are what persons asked for.
type requests struct {
	*builder
	byID  map[string]*request
	order []*request
}

type request struct {
	index                                   int64
	id, kind, reference, actor, regime, how string
	opened, identified, extended, done      time.Time
	due, answered                           time.Time // due is zero where the entries do not say it
	steps                                   int
	touched                                 bool
}

// The steps of a request, as entries have them in their code, and what asks for a
// restriction.
const (
	stepIdentity    = "identity"
	stepExtend      = "extend"
	askedRestricted = "restriction"
)

// closing are the steps that close a request.
var closing = map[string]string{"complete": "completed", "refuse": "refused", "withdraw": "withdrawn", "lift": "completed"}

func (r *requests) take(c *Change, in bool) {
	e := &c.Entry
	if !ran(e) {
		return
	}
	switch e.Kind {
	case audit.KindRequestOpen:
		r.open(c, e.Code, in)
	case audit.KindRequestChange, audit.KindRestrict, audit.KindLiftRestriction:
		if o := r.byID[c.about("request:")]; o != nil {
			r.step(o, e, in)
		}
	case audit.KindErase:
		o := r.byID[c.about("request:")]
		if o == nil {
			o = r.open(c, "erasure", in) // an erasure at once opens its request in the same commit
		}
		o.touched = o.touched || in
		o.answer(e.Time) // of what a hold keeps, that it does
		if e.Counts[countDeferred] == 0 {
			o.done, o.how = e.Time, "erased"
		}
	}
}

func (r *requests) open(c *Change, kind string, in bool) *request {
	e := &c.Entry
	o := &request{
		index: c.First, id: e.ChangeID, kind: r.words.one(kind), reference: e.Reference, actor: r.words.one(e.Actor), opened: e.Time, touched: in,
		regime: r.words.one(c.about(audit.ObligationRegime)), due: e.Instant(audit.CountDueAt),
	}
	r.byID[o.id] = o
	r.order = append(r.order, o)
	return o
}

func (r *requests) step(o *request, e *audit.Entry, in bool) {
	o.steps++
	o.touched = o.touched || in
	switch e.Code {
	case stepIdentity:
		o.identified = e.Time
	case stepExtend:
		o.extended, o.due = e.Time, e.Instant(audit.CountDueAt)
	}
	// A restriction is its own answer once it is in force; an objection restricts
	// only until somebody decided on it.
	if e.Kind == audit.KindRestrict && o.kind == askedRestricted {
		o.answer(e.Time)
	}
	if how := closing[e.Code]; how != "" {
		o.done, o.how = e.Time, how
		o.answer(e.Time)
	}
}

// answer stops the clock, once.
func (o *request) answer(at time.Time) {
	if o.answered.IsZero() {
		o.answered = at
	}
}

// clock is how the clock stood at the end of the period, empty where the entries do
// not say until when it runs. They say it in whole seconds, and so it is judged.
func (o *request) clock(end time.Time) string {
	late := func(at time.Time) bool { return at.Truncate(time.Second).After(o.due) }
	switch {
	case o.due.IsZero():
		return ""
	case !o.answered.IsZero() && late(o.answered):
		return clockLate
	case !o.answered.IsZero():
		return clockInTime
	case late(end):
		return clockOverdue
	default:
		return clockRunning
	}
}

// answered counts those that were answered in the period, and those of which nobody
// was until its end, by when they were due.
func (r *requests) answered() (inTime, late int) {
	for _, o := range r.order {
		switch state := o.clock(r.period.To); {
		case state == clockOverdue, state == clockLate && r.period.Holds(o.answered):
			late++
		case state == clockInTime && r.period.Holds(o.answered):
			inTime++
		}
	}
	return inTime, late
}

// The states of a clock.
const (
	clockInTime  = "in_time"
	clockLate    = "late"
	clockOverdue = "overdue"
	clockRunning = "running"
)

// shown are those that were open in the period, or became so.
func (r *requests) shown() []*request {
	return slices.DeleteFunc(slices.Clone(r.order), func(o *request) bool {
		return !o.done.IsZero() && o.done.Before(r.period.From)
	})
}

func (r *requests) tables() []Table {
	t := Table{
		Name: TableRequests, Title: "Requests of persons",
		Query: "Entries of kind request_open, and of kind erase where that opened its request, with the entries that name them as request: " +
			"those that were open at any time of the period, as they stood at its end.",
		Notes: []string{
			"The clock of a request begins when the person asked, and its length depends on the regime: due is when it ends. " +
				"It stops with the answer: also with a restriction that is in force, and with an erasure of which a hold keeps a part.",
			"Requests that were written down by older versions say neither regime nor due, nor does an erasure at once, which is answered as it is asked for.",
			"What a request took is from when it was written down until it was closed.",
		},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Written down", KindTime}, {"request", "Request", KindRef}, {"kind", "Kind", KindText},
			{"regime", "Regime", KindText}, {"reference", "Reference", KindRef}, {"actor", "By", KindRef}, {"identity_at", "Identity established", KindTime},
			{"extended_at", "Extended", KindTime}, {"due", "Due", KindTime}, {"answered_at", "Answered", KindTime}, {"clock", "Clock", KindText},
			{"steps", "Steps", KindCount}, {"state", "State", KindText}, {"closed_at", "Closed", KindTime}, {"took", "Took", KindDuration},
		},
	}
	for _, o := range r.shown() {
		state := o.how
		if o.done.IsZero() {
			state = "open"
		}
		t.Entries = append(t.Entries, o.index)
		t.Rows = append(t.Rows, []string{
			place(o.index), moment(o.opened), o.id, o.kind, o.regime, o.reference, o.actor, moment(o.identified), moment(o.extended),
			moment(o.due), moment(o.answered), o.clock(r.period.To), count(o.steps), state, moment(o.done), between(o.opened, o.done),
		})
	}
	return []Table{t}
}
