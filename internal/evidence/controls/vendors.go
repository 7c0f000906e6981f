package controls

import (
	"slices"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// exposure looks under which agreements prompts went to vendors.
type exposure struct {
	base
	known map[string]*evidence.Destination
}

func newExposure(e *env) query {
	q := &exposure{base{env: e}, make(map[string]*evidence.Destination)}
	for i := range e.facts.Destinations {
		q.known[e.facts.Destinations[i].Name] = &e.facts.Destinations[i]
	}
	return q
}

func (q *exposure) take(c *evidence.Change, in bool) {
	e := &c.Entry
	if !in || e.Kind != audit.KindTokenize || !done(e) {
		return
	}
	q.population++
	if len(e.Entities) == 0 {
		return // nothing of anybody was found in it
	}
	inClear := e.InClear() > 0
	for _, name := range append(e.About(audit.ObligationDestination), e.Destination) {
		to := q.known[name]
		switch {
		case to == nil:
			q.unsure("a prompt to a destination that the policy in force does not name")
		case inClear && !agreed(to, e):
			q.broken(c.First, "values in clear to a destination without an agreement that it requires")
		case !to.BAA.InForce(e.Time) && !to.DPA.InForce(e.Time):
			q.unsure("tokens alone to a destination without any agreement in force")
		default:
			continue
		}
		return // a prompt counts once
	}
}

// agreed tells whether there is what a destination requires, and anything at all.
func agreed(to *evidence.Destination, e *audit.Entry) bool {
	baa, dpa := to.BAA.InForce(e.Time), to.DPA.InForce(e.Time)
	return (baa || dpa) && (baa || !slices.Contains(to.Requires, "baa")) && (dpa || !slices.Contains(to.Requires, "dpa"))
}

func (q *exposure) finish() *finding {
	if len(q.known) == 0 {
		return &finding{untold: "the destinations and their agreements were not given"}
	}
	return &q.finding
}

// dispatches looks whether the record of a prompt ends with what its vendor did.
type dispatches struct {
	base
	waiting map[string]int // prompts of the period by request, without a dispatch yet
	ended   int
}

func newDispatches(e *env) query {
	return &dispatches{base: base{env: e}, waiting: make(map[string]int)}
}

func (q *dispatches) take(c *evidence.Change, in bool) {
	e := &c.Entry
	switch {
	case !done(e) || e.RequestID == "":
	case e.Kind == audit.KindTokenize && in:
		q.population++
		q.waiting[e.RequestID]++
	case e.Kind == audit.KindDispatch:
		q.ended += q.waiting[e.RequestID]
		delete(q.waiting, e.RequestID)
	}
}

func (q *dispatches) finish() *finding {
	if q.population > 0 && q.ended == 0 {
		return &finding{population: q.population, untold: "no gateway says what became of its prompts"}
	}
	for range q.population - q.ended {
		q.unsure("a prompt of which nobody said what became of it")
	}
	return &q.finding
}
