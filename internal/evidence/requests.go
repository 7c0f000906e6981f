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
	index                              int64
	id, kind, reference, actor, how    string
	opened, identified, extended, done time.Time
	steps                              int
	touched                            bool
}

// The steps of a request, as entries have them in their code.
const (
	stepIdentity = "identity"
	stepExtend   = "extend"
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
		if e.Counts[countDeferred] == 0 {
			o.done, o.how = e.Time, "erased"
		}
	}
}

func (r *requests) open(c *Change, kind string, in bool) *request {
	e := &c.Entry
	o := &request{
		index: c.First, id: e.ChangeID, kind: r.words.one(kind), reference: e.Reference, actor: r.words.one(e.Actor), opened: e.Time, touched: in,
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
		o.extended = e.Time
	}
	if how := closing[e.Code]; how != "" {
		o.done, o.how = e.Time, how
	}
}

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
			"The clock of a request begins when the person asked, and its length depends on the regime; the service keeps both. " +
				"The log tells when the request was written down: the days shown here are from then on.",
		},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Written down", KindTime}, {"request", "Request", KindRef}, {"kind", "Kind", KindText},
			{"reference", "Reference", KindRef}, {"actor", "By", KindRef}, {"identity_at", "Identity established", KindTime},
			{"extended_at", "Extended", KindTime}, {"steps", "Steps", KindCount}, {"state", "State", KindText}, {"closed_at", "Closed", KindTime},
			{"took", "Took", KindDuration},
		},
	}
	for _, o := range r.shown() {
		state := o.how
		if o.done.IsZero() {
			state = "open"
		}
		t.Entries = append(t.Entries, o.index)
		t.Rows = append(t.Rows, []string{
			place(o.index), moment(o.opened), o.id, o.kind, o.reference, o.actor, moment(o.identified), moment(o.extended),
			count(o.steps), state, moment(o.done), between(o.opened, o.done),
		})
	}
	return []Table{t}
}
