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
	aware                              time.Time // zero where an older version did not say it
	events                             int
}

func (s *incidents) take(c *Change, _ bool) {
	e := &c.Entry
	if !ran(e) {
		return
	}
	switch e.Kind {
	case audit.KindIncidentOpen:
		o := &incident{index: c.First, id: e.ChangeID, actor: s.words.one(e.Actor), reference: e.Reference, opened: e.Time, aware: e.Instant(audit.CountAwareAt)}
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

// began is from when on the clocks run, as far as the log tells.
func (o *incident) began() time.Time {
	if o.aware.IsZero() {
		return o.opened
	}
	return o.aware
}

// clock is how a clock stood at the end of the period. It stops when it was
// answered, or the incident was closed.
func (o *incident) clock(answered, end time.Time, within time.Duration) string {
	due := o.began().Add(within)
	stopped := answered
	if stopped.IsZero() {
		stopped = o.closed
	}
	switch {
	case !stopped.IsZero() && stopped.Before(due):
		if answered.IsZero() {
			return "closed"
		}
		return clockInTime
	case !stopped.IsZero():
		return clockLate
	case end.Before(due):
		return clockRunning
	default:
		return clockOverdue
	}
}

func (s *incidents) tables() []Table {
	t := Table{
		Name: TableIncidents, Title: "Incidents",
		Query: "Entries of kind incident_open, with the entries of kind incident_change that name them: those that were open at any time of the period, as they stood at its end.",
		Notes: []string{
			"The clocks run from when somebody became aware. Entries of older versions do not say when that was: theirs are shown from when the incident was written down, and may have begun before.",
			"Authority: 72 hours, GDPR Art. 33(1). Persons: 60 days, 45 CFR 164.404(b). closed: nobody had to be told.",
		},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Written down", KindTime}, {"aware_at", "Aware", KindTime}, {"incident", "Incident", KindRef}, {"actor", "By", KindRef},
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
			place(o.index), moment(o.opened), moment(o.aware), o.id, o.actor, o.reference, count(o.events), moment(o.began().Add(authorityClock)),
			moment(o.authority), o.clock(o.authority, s.period.To, authorityClock), moment(o.began().Add(personsClock)),
			moment(o.persons), o.clock(o.persons, s.period.To, personsClock), moment(o.closed), o.outcome,
		})
	}
	return []Table{t}
}
