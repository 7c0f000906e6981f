package evidence

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// holds are the legal holds that stood at any time of the period.
type holds struct {
	*builder
	byID  map[string]*hold
	order []*hold
}

type hold struct {
	index                                         int64
	id, actor, reference, about                   string
	placed, reviewed, released                    time.Time
	reviews                                       int
	releaser, releaseReference, approval, release string
}

func (h *holds) take(c *Change, _ bool) {
	e := &c.Entry
	if !ran(e) {
		return
	}
	id := e.ChangeID
	if len(e.HoldIDs) > 0 {
		id = e.HoldIDs[0]
	}
	one := h.byID[id]
	switch {
	case e.Kind == audit.KindHoldPlace:
		about := make(map[string]int)
		for name, n := range e.Counts {
			if n > 0 {
				about[name] = n
			}
		}
		one = &hold{index: c.First, id: id, actor: h.words.one(e.Actor), reference: e.Reference, about: h.words.one(counted(about)), placed: e.Time}
		h.byID[id] = one
		h.order = append(h.order, one)
	case one == nil:
	case e.Kind == audit.KindHoldReview:
		one.reviewed = e.Time
		one.reviews++
	case e.Kind == audit.KindHoldRelease:
		one.released, one.releaser, one.releaseReference = e.Time, h.words.one(e.Actor), e.Reference
		one.approval, one.release = c.Proceeding(), place(c.First)
	}
}

func (h *holds) tables() []Table {
	t := Table{
		Name: TableHolds, Title: "Legal holds",
		Query: "Entries of kind hold_place, with the entries of kind hold_review and hold_release that name them: " +
			"the holds that stood at any time of the period, as they stood at its end.",
		Notes: []string{"What a hold matches is kept by the service as digests; the log tells how many of each it names."},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Placed", KindTime}, {"hold", "Hold", KindRef}, {"placed_by", "Placed by", KindRef},
			{"reference", "Reference", KindRef}, {"about", "Names", KindText}, {"reviews", "Reviews", KindCount},
			{"last_review", "Last review", KindTime}, {"standing", "Standing at the end", KindText}, {"released_at", "Released", KindTime},
			{"released_by", "Released by", KindRef}, {"release_reference", "Reference of the release", KindRef},
			{"approval", "Approval", KindRef}, {"release_entry", "Entry of the release", KindRef}, {"stood", "Stood for", KindDuration},
		},
	}
	for _, o := range h.order {
		if !o.released.IsZero() && o.released.Before(h.period.From) {
			continue
		}
		end := o.released
		if end.IsZero() {
			end = h.period.To
		}
		t.Entries = append(t.Entries, o.index)
		t.Rows = append(t.Rows, []string{
			place(o.index), moment(o.placed), o.id, o.actor, o.reference, o.about, count(o.reviews), moment(o.reviewed),
			yes(o.released.IsZero()), moment(o.released), o.releaser, o.releaseReference, o.approval, o.release, between(o.placed, end),
		})
	}
	return []Table{t}
}
