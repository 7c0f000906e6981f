package evidence

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// retention is how long things are kept, and what went in its time.
type retention struct {
	*builder
	byDay map[dayKind]*deleted
}

type dayKind struct {
	day  string
	kind audit.Kind
}

type deleted struct {
	batches int
	counts  map[string]int
}

// sweptNames are what a sweep counts.
var sweptNames = []string{"mappings", "keys", "scopes", "requests", "subjects", "tombstones"}

func (r *retention) take(c *Change, in bool) {
	e := &c.Entry
	if !in || !ran(e) || e.Kind != audit.KindSweep && e.Kind != audit.KindPrune {
		return
	}
	key := dayKind{e.Time.UTC().Format(time.DateOnly), e.Kind}
	d := r.byDay[key]
	if d == nil {
		d = &deleted{counts: make(map[string]int)}
		r.byDay[key] = d
	}
	d.batches++
	if e.Kind == audit.KindPrune {
		d.counts["range"] += e.Counts["to"] - e.Counts["from"]
		return
	}
	for _, name := range sweptNames {
		d.counts[name] += e.Counts[name]
	}
}

func (r *retention) tables() []Table { return []Table{r.settings(), r.gone()} }

func (r *retention) settings() Table {
	t := Table{
		Name: TableRetentionSettings, Title: "Retention settings",
		Query: "The rules of retention in force for the tenant when the evidence was made. Empty cells do not select; of several rules that match the shortest counts. Not from the log.",
		Columns: []Column{
			{"what", "What", KindText}, {"class", "Class", KindText}, {"entity", "Entity", KindText}, {"destination", "Destination", KindText},
			{"scope_kind", "Scope", KindText}, {"kept", "Kept at most", KindDuration}, {"words", "In words", KindText},
		},
	}
	for _, s := range r.facts.Retention {
		t.Rows = append(t.Rows, []string{"values", s.Class, s.Entity, s.Destination, s.ScopeKind, span(s.For), ""})
	}
	for _, s := range r.facts.Records {
		t.Rows = append(t.Rows, []string{s.Record, "", "", "", "", "", s.For})
	}
	if len(t.Rows) == 0 {
		t.Notes = []string{notGiven}
	}
	return t
}

func (r *retention) gone() Table {
	t := Table{
		Name: TableRetentionDeleted, Title: "What retention deleted",
		Query: "Entries of the kinds sweep and prune in the period, summed by day (UTC) and kind.",
		Notes: []string{"range is how many entries the ranges of a day's prunes span: of them those went whose kind was kept long enough. What persons had erased is in the table erasures."},
		Columns: []Column{
			{"day", "Day", KindText}, {"kind", "Kind", KindText}, {"batches", "Batches", KindCount}, {"mappings", "Mappings", KindCount},
			{"keys", "Keys", KindCount}, {"scopes", "Scopes", KindCount}, {"requests", "Requests", KindCount}, {"subjects", "Subjects", KindCount},
			{"tombstones", "Tombstones", KindCount}, {"range", "Range of entries", KindCount},
		},
	}
	order := func(a, b dayKind) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.kind, b.kind)) }
	for _, key := range slices.SortedFunc(maps.Keys(r.byDay), order) {
		d := r.byDay[key]
		row := []string{key.day, string(key.kind), count(d.batches)}
		for _, name := range append(slices.Clone(sweptNames), "range") {
			row = append(row, count(d.counts[name]))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
