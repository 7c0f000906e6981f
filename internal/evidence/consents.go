package evidence

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// consents are those that stood at any time of the period.
type consents struct {
	*builder
	byID  map[string]*consent
	order []*consent
}

type consent struct {
	index                                  int64
	id, purpose, subject, actor, reference string
	given, withdrawn                       time.Time
	withdrawer, withdrawal, why            string
}

func (s *consents) take(c *Change, _ bool) {
	e := &c.Entry
	if !ran(e) {
		return
	}
	switch e.Kind {
	case audit.KindConsent:
		o := &consent{
			index: c.First, id: e.ChangeID, purpose: s.words.one(e.Code), subject: list(e.SubjectRefs), actor: s.words.one(e.Actor),
			reference: e.Reference, given: e.Time,
		}
		s.byID[o.id] = o
		s.order = append(s.order, o)
	case audit.KindWithdrawConsent:
		if o := s.byID[c.Proceeding()]; o != nil && o.withdrawn.IsZero() {
			o.withdrawn, o.withdrawer, o.withdrawal, o.why = e.Time, s.words.one(e.Actor), place(c.First), e.Reference
			if o.subject == "" { // what gave it is of an older version
				o.subject = list(e.SubjectRefs)
			}
		}
	}
}

func (s *consents) tables() []Table {
	t := Table{
		Name: TableConsents, Title: "Consents",
		Query: "Entries of kind consent, with the entries of kind withdraw_consent that name them: those that stood at any time of the period, as they stood at its end.",
		Notes: []string{"The subject is the reference of the person; consents of older versions do not name theirs. Until when one was given is kept by the service: the log does not tell that one ran out."},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Given", KindTime}, {"consent", "Consent", KindRef}, {"purpose", "Purpose", KindText},
			{"subject", "Subject", KindRef}, {"actor", "Written down by", KindRef}, {"reference", "Reference", KindRef},
			{"standing", "Not withdrawn at the end", KindText}, {"withdrawn_at", "Withdrawn", KindTime}, {"withdrawn_by", "Written down by", KindRef},
			{"withdrawal_reference", "Reference of that", KindRef}, {"withdrawal_entry", "Entry of that", KindRef},
		},
	}
	for _, o := range s.order {
		if !o.withdrawn.IsZero() && o.withdrawn.Before(s.period.From) {
			continue
		}
		t.Entries = append(t.Entries, o.index)
		t.Rows = append(t.Rows, []string{
			place(o.index), moment(o.given), o.id, o.purpose, o.subject, o.actor, o.reference, yes(o.withdrawn.IsZero()), moment(o.withdrawn),
			o.withdrawer, o.why, o.withdrawal,
		})
	}
	return []Table{t}
}
