package evidence

import (
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// The clocks of an incident: 72 hours to the supervisory authority (GDPR Art. 33(1)),
// 60 days to the persons (45 CFR 164.404(b)).
const (
	authorityClock = 72 * time.Hour
	personsClock   = 60 * 24 * time.Hour
)

// incidents are what went wrong, and who was told when.
type incidents struct {
	*builder
	byID  map[string]*incident
	order []*incident
}

type incident struct {
	index                              int64
	id, actor, reference, outcome      string
	opened, authority, persons, closed time.Time
	events                             int
}

func (s *incidents) take(c *Change, _ bool) {
	e := &c.Entry
	if !ran(e) {
		return
	}
	switch e.Kind {
	case audit.KindIncidentOpen:
		o := &incident{index: c.First, id: e.ChangeID, actor: s.words.one(e.Actor), reference: e.Reference, opened: e.Time}
		s.byID[o.id] = o
		s.order = append(s.order, o)
	case audit.KindIncidentChange:
		if o := s.byID[c.Proceeding()]; o != nil {
			o.change(e)
		}
	}
}

func (o *incident) change(e *audit.Entry) {
	o.events++
	outcome, closes := strings.CutPrefix(e.Code, "closed_")
	switch {
	case closes:
		o.closed, o.outcome = e.Time, outcome
	case e.Code == "authority_notified" && o.authority.IsZero():
		o.authority = e.Time
	case e.Code == "persons_notified" && o.persons.IsZero():
		o.persons = e.Time
	}
}

// clock is how a clock stood at the end of the period. It stops when it was
// answered, or the incident was closed.
func (o *incident) clock(answered, end time.Time, within time.Duration) string {
	due := o.opened.Add(within)
	stopped := answered
	if stopped.IsZero() {
		stopped = o.closed
	}
	switch {
	case !stopped.IsZero() && stopped.Before(due):
		if answered.IsZero() {
			return "closed"
		}
		return "in_time"
	case !stopped.IsZero():
		return "late"
	case end.Before(due):
		return "running"
	default:
		return "overdue"
	}
}

func (s *incidents) tables() []Table {
	t := Table{
		Name: TableIncidents, Title: "Incidents",
		Query: "Entries of kind incident_open, with the entries of kind incident_change that name them: those that were open at any time of the period, as they stood at its end.",
		Notes: []string{
			"The clocks run from when somebody became aware, which the service keeps; the log tells when the incident was written down, and they are shown from then on: the real ones may have begun before.",
			"Authority: 72 hours, GDPR Art. 33(1). Persons: 60 days, 45 CFR 164.404(b). closed: nobody had to be told.",
		},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Written down", KindTime}, {"incident", "Incident", KindRef}, {"actor", "By", KindRef},
			{"reference", "Reference", KindRef}, {"events", "Events", KindCount}, {"authority_due", "Authority due", KindTime},
			{"authority_at", "Authority told", KindTime}, {"authority", "Clock of the authority", KindText}, {"persons_due", "Persons due", KindTime},
			{"persons_at", "Persons told", KindTime}, {"persons", "Clock of the persons", KindText}, {"closed_at", "Closed", KindTime},
			{"outcome", "Outcome", KindText},
		},
	}
	for _, o := range s.order {
		if !o.closed.IsZero() && o.closed.Before(s.period.From) {
			continue
		}
		t.Entries = append(t.Entries, o.index)
		t.Rows = append(t.Rows, []string{
			place(o.index), moment(o.opened), o.id, o.actor, o.reference, count(o.events), moment(o.opened.Add(authorityClock)),
			moment(o.authority), o.clock(o.authority, s.period.To, authorityClock), moment(o.opened.Add(personsClock)),
			moment(o.persons), o.clock(o.persons, s.period.To, personsClock), moment(o.closed), o.outcome,
		})
	}
	return []Table{t}
}
