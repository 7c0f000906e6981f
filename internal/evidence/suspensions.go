package evidence

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// suspensions are when restorations, or a whole tenant, were stopped.
type suspensions struct {
	*builder
	byID  map[string]*suspension
	order []*suspension
	open  *suspension // of the tenant
}

type suspension struct {
	index                       int64
	id, what, actor, reference  string
	names                       string // how many of each sort
	placed, lifted              time.Time
	lifter, liftReference, lift string
}

func (s *suspensions) take(c *Change, _ bool) {
	e := &c.Entry
	if !ran(e) {
		return
	}
	switch e.Kind {
	case audit.KindSuspend:
		s.begin(c, "restorations")
	case audit.KindLiftSuspension:
		if o := s.byID[c.Proceeding()]; o != nil {
			s.end(o, c)
		}
	case audit.KindTenantSuspend:
		if s.open == nil {
			s.open = s.begin(c, "tenant")
		}
	case audit.KindTenantResume, audit.KindTenantClose:
		if s.open != nil {
			s.end(s.open, c)
			s.open = nil
		}
	}
}

func (s *suspensions) begin(c *Change, what string) *suspension {
	e := &c.Entry
	o := &suspension{index: c.First, id: e.ChangeID, what: what, actor: s.words.one(e.Actor), reference: e.Reference, placed: e.Time, names: counted(e.Counts)}
	s.byID[o.id] = o
	s.order = append(s.order, o)
	return o
}

func (s *suspensions) end(o *suspension, c *Change) {
	o.lifted, o.lifter, o.liftReference, o.lift = c.Entry.Time, s.words.one(c.Entry.Actor), c.Entry.Reference, place(c.First)
}

func (s *suspensions) tables() []Table {
	t := Table{
		Name: TableSuspensions, Title: "Suspensions",
		Query: "Entries of the kinds suspend and tenant_suspend, with what lifted them: those that stood at any time of the period, as they stood at its end.",
		Notes: []string{"What a suspension matches is kept by the service; of each sort the log says how many it names. One of restorations that names nothing stops what was tokenized in a time, or is of an older version, which did not say it. What it refused is in the table denials, with a code that ends in suspended, or with results that name suspended."},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Placed", KindTime}, {"suspension", "Suspension", KindRef}, {"what", "Of", KindText}, {"names", "Names", KindText},
			{"actor", "Placed by", KindRef}, {"reference", "Reference", KindRef}, {"standing", "Standing at the end", KindText},
			{"lifted_at", "Lifted", KindTime}, {"lifted_by", "Lifted by", KindRef}, {"lift_reference", "Reference of that", KindRef},
			{"lift_entry", "Entry of that", KindRef}, {"stood", "Stood for", KindDuration},
		},
	}
	for _, o := range s.order {
		if !o.lifted.IsZero() && o.lifted.Before(s.period.From) {
			continue
		}
		end := o.lifted
		if end.IsZero() {
			end = s.period.To
		}
		t.Entries = append(t.Entries, o.index)
		t.Rows = append(t.Rows, []string{
			place(o.index), moment(o.placed), o.id, o.what, o.names, o.actor, o.reference, yes(o.lifted.IsZero()), moment(o.lifted),
			o.lifter, o.liftReference, o.lift, between(o.placed, end),
		})
	}
	return []Table{t}
}
