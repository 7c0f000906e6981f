package evidence

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// exposure is what went where.
type exposure struct {
	*builder
	byEntity map[sent]*sentSum
	byAction map[sent]*sentSum // the name is the action
	requests map[string]int    // by destination
}

type sent struct{ destination, name string }

type sentSum struct {
	values, requests int
	first, last      time.Time
}

func newExposure(b *builder) *exposure {
	return &exposure{builder: b, byEntity: make(map[sent]*sentSum), byAction: make(map[sent]*sentSum), requests: make(map[string]int)}
}

// destinations are where the prompt of a tokenize entry was to go, each once.
func destinations(c *Change) []string {
	all := c.Entry.About(audit.ObligationDestination)
	if c.Entry.Destination != "" {
		all = append(all, c.Entry.Destination)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (x *exposure) take(c *Change, in bool) {
	e := &c.Entry
	if !in || e.Kind != audit.KindTokenize || !ran(e) {
		return
	}
	for _, destination := range destinations(c) {
		destination = x.words.one(destination)
		x.requests[destination]++
		for entity, n := range e.Entities {
			add(x.byEntity, sent{destination, x.words.one(entity)}, n, e.Time)
		}
		for action, n := range e.Results {
			add(x.byAction, sent{destination, x.words.one(action)}, n, e.Time)
		}
	}
}

func add(to map[sent]*sentSum, key sent, n int, at time.Time) {
	s := to[key]
	if s == nil {
		s = &sentSum{first: at}
		to[key] = s
	}
	s.values += n
	s.requests++
	s.last = at
}

func (x *exposure) tables() []Table {
	const query = "Entries of kind tokenize in the period that were not refused, by each destination that they name and "
	cols := func(name, title string) []Column {
		return []Column{
			{"destination", "Destination", KindText}, {name, title, KindText}, {"values", "Values", KindCount}, {"requests", "Requests", KindCount},
			{"first", "First", KindTime}, {"last", "Last", KindTime},
		}
	}
	entities := Table{
		Name: TableExposure, Title: "Exposure by destination", Query: query + "entity.", Columns: cols("entity", "Entity"), Rows: rowsOf(x.byEntity),
		Notes: []string{
			"Values are what was found in prompts. What became of them is in the table exposure_actions: what was tokenized, masked or blocked did not go there in clear.",
			"A prompt for several destinations is counted under each.",
		},
	}
	actions := Table{
		Name: TableExposureActions, Title: "What became of values, by destination", Query: query + "what became of the values.",
		Columns: cols("action", "Action"), Rows: rowsOf(x.byAction),
		Notes: []string{"allowed and warned are what went there in clear, by the policy."},
	}
	return []Table{entities, actions, x.agreements()}
}

func rowsOf(sums map[sent]*sentSum) [][]string {
	var rows [][]string
	order := func(a, b sent) int {
		return cmp.Or(cmp.Compare(a.destination, b.destination), cmp.Compare(a.name, b.name))
	}
	for _, key := range slices.SortedFunc(maps.Keys(sums), order) {
		s := sums[key]
		rows = append(rows, []string{key.destination, key.name, count(s.values), count(s.requests), moment(s.first), moment(s.last)})
	}
	return rows
}

func (x *exposure) agreements() Table {
	t := Table{
		Name: TableAgreements, Title: "Subprocessors and agreements",
		Query: "The destinations of the policy in force when the evidence was made, and those that tokenize entries of the period name.",
		Notes: []string{"covered: every agreement that the policy requires of the destination was in force for the whole period, or none is required and none of its values went in clear."},
		Columns: []Column{
			{"destination", "Destination", KindText}, {"vendor", "Vendor", KindText}, {"region", "Region", KindText}, {"dpa", "DPA", KindRef},
			{"dpa_from", "DPA from", KindTime}, {"dpa_to", "DPA to", KindTime}, {"baa", "BAA", KindRef}, {"baa_from", "BAA from", KindTime},
			{"baa_to", "BAA to", KindTime}, {"requires", "Requires", KindText}, {"training", "May train", KindText},
			{"retention_days", "Retention at the vendor, days", KindCount}, {"requests", "Requests", KindCount},
			{"in_clear", "Values in clear", KindCount}, {"covered", "Covered", KindText},
		},
	}
	known := make(map[string]bool)
	for _, d := range x.facts.Destinations {
		known[d.Name] = true
		clear := x.inClear(d.Name)
		t.Rows = append(t.Rows, []string{
			d.Name, d.Vendor, d.Region, d.DPA.Ref, moment(d.DPA.From), moment(d.DPA.To), d.BAA.Ref, moment(d.BAA.From), moment(d.BAA.To),
			strings.Join(d.Requires, " "), yes(d.Training), count(d.VendorRetentionDays), count(x.requests[d.Name]), count(clear), yes(x.covered(&d, clear)),
		})
	}
	for _, name := range names(x.requests) {
		if !known[name] {
			row := make([]string, len(t.Columns))
			row[0], row[len(row)-3], row[len(row)-2], row[len(row)-1] = name, count(x.requests[name]), count(x.inClear(name)), ""
			t.Rows = append(t.Rows, row)
		}
	}
	if len(x.facts.Destinations) == 0 {
		t.Notes = append(t.Notes, notGiven)
	}
	return t
}

func (x *exposure) inClear(destination string) int {
	total := 0
	for _, action := range audit.ResultsInClear() {
		if s := x.byAction[sent{destination, action}]; s != nil {
			total += s.values
		}
	}
	return total
}

func (x *exposure) covered(d *Destination, clear int) bool {
	for _, name := range d.Requires {
		a := d.DPA
		if name == "baa" {
			a = d.BAA
		}
		if !a.InForce(x.period.From) || !a.InForce(x.period.To.Add(-time.Second)) {
			return false
		}
	}
	return len(d.Requires) > 0 || clear == 0
}
