package evidence

import (
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// breakGlass are the restorations that somebody has to look at afterwards.
type breakGlass struct {
	*builder
	byID  map[string]*use
	order []*use
}

type use struct {
	index                                      int64
	id, reason, reference, actor, client, what string
	tokens                                     int
	at, due, closed                            time.Time
	review                                     int64
	reviewer, finding, findingReference        string
}

func (g *breakGlass) take(c *Change, _ bool) {
	e, w := &c.Entry, g.words.one
	if hours := c.ReviewHours(); hours > 0 {
		u := &use{
			index: c.First, id: e.ChangeID, reason: w(e.Reason), reference: e.Reference, actor: w(e.Actor), client: w(e.Client.ClientID),
			what: w(counted(e.Entities)), tokens: len(e.Tokens), at: e.Time, due: e.Time.Add(time.Duration(hours) * time.Hour), review: -1,
		}
		g.byID[u.id] = u
		g.order = append(g.order, u)
		return
	}
	if u := g.byID[c.Proceeding()]; u != nil && e.Kind == audit.KindReviewClose && ran(e) && u.review < 0 {
		u.review, u.closed = c.First, e.Time
		u.reviewer, u.finding, u.findingReference = w(e.Actor), w(e.Code), e.Reference
	}
}

// state is where the review stood at the end of the period.
func (u *use) state(end time.Time) string {
	switch {
	case !u.closed.IsZero() && u.closed.After(u.due):
		return "late"
	case !u.closed.IsZero():
		return "in_time"
	case !end.Before(u.due):
		return "overdue"
	default:
		return "open"
	}
}

// shown are those of the period, and those before it that were not reviewed then.
func (g *breakGlass) shown() []*use {
	return slices.DeleteFunc(slices.Clone(g.order), func(u *use) bool {
		return u.at.Before(g.period.From) && !u.closed.IsZero() && u.closed.Before(g.period.From)
	})
}

func (g *breakGlass) tables() []Table {
	t := Table{
		Name: TableBreakGlass, Title: "Break-glass and reviews",
		Query: "Restorations with an obligation review_hours, in the period or without a review at its beginning, " +
			"with the entry of kind review_close that names them as proceeding; as they stood at the end of the period.",
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Used", KindTime}, {"change_id", "Change", KindRef}, {"reason", "Reason", KindText},
			{"reference", "Reference", KindRef}, {"actor", "Actor", KindRef}, {"client", "Client", KindRef}, {"tokens", "Tokens", KindCount},
			{"entities", "Entities", KindText}, {"due", "Review due", KindTime}, {"state", "Review", KindText},
			{"reviewed_at", "Reviewed", KindTime}, {"reviewer", "Reviewer", KindRef}, {"by_other", "By somebody else", KindText},
			{"finding", "Finding", KindText}, {"finding_reference", "Reference of the finding", KindRef},
			{"time_to_review", "Time to review", KindDuration}, {"review_entry", "Entry of the review", KindRef},
		},
	}
	for _, u := range g.shown() {
		review, other := "", ""
		if u.review >= 0 {
			review, other = place(u.review), yes(u.reviewer != u.actor)
		}
		t.Entries = append(t.Entries, u.index)
		t.Rows = append(t.Rows, []string{
			place(u.index), moment(u.at), u.id, u.reason, u.reference, u.actor, u.client, count(u.tokens), u.what, moment(u.due),
			u.state(g.period.To), moment(u.closed), u.reviewer, other, u.finding, u.findingReference, between(u.at, u.closed), review,
		})
	}
	return []Table{t}
}
