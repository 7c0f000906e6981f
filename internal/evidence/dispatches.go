package evidence

import (
	"cmp"
	"maps"
	"slices"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// dispatches are what vendors did with prompts.
type dispatches struct {
	*builder
	rows     [][]string
	entries  []int64
	byVendor map[vendor]*dispatchSum
}

type vendor struct{ destination, model string }

type dispatchSum struct {
	dispatches, ok, longest, total int
	usage                          map[string]int
}

// What a dispatch counts beside what was used, and the code of one that went well.
const (
	countLatency = "latency_ms"
	dispatchOK   = "ok"
)

func (d *dispatches) take(c *Change, in bool) {
	e, w := &c.Entry, d.words.one
	if !in || e.Kind != audit.KindDispatch || !ran(e) {
		return
	}
	latency, usage := e.Counts[countLatency], make(map[string]int)
	for name, n := range e.Counts {
		if name != countLatency {
			usage[name] = n
		}
	}
	d.entries = append(d.entries, c.First)
	d.rows = append(d.rows, []string{
		place(c.First), moment(e.Time), own(e.ChangeID), own(e.RequestID), w(e.Destination), w(e.Model), own(e.Reference), w(e.Code), count(latency), counted(usage), w(e.Actor),
	})
	key := vendor{w(e.Destination), w(e.Model)}
	s := d.byVendor[key]
	if s == nil {
		s = &dispatchSum{usage: make(map[string]int)}
		d.byVendor[key] = s
	}
	s.dispatches++
	s.ok += one(e.Code == dispatchOK)
	s.longest = max(s.longest, latency)
	s.total += latency
	for name, n := range usage {
		s.usage[w(name)] += n
	}
}

func (d *dispatches) tables() []Table {
	lines := Table{
		Name: TableDispatches, Title: "Dispatches to vendors", Rows: d.rows, Entries: d.entries,
		Query: "Entries of kind dispatch in the period: what the gateway wrote down of what a vendor did with a prompt.",
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Time", KindTime}, {"change_id", "Change", KindRef}, {"request_id", "Request", KindRef},
			{"destination", "Destination", KindText}, {"model", "Model", KindText}, {"vendor_request_id", "Request at the vendor", KindRef},
			{"status", "Status", KindText}, {"latency_ms", "Milliseconds", KindCount}, {"usage", "Used", KindText}, {"actor", "Actor", KindRef},
		},
	}
	sums := Table{
		Name: TableDispatchesVendor, Title: "Dispatches by destination and model", Query: "The same dispatches, summed by destination and model.",
		Columns: []Column{
			{"destination", "Destination", KindText}, {"model", "Model", KindText}, {"dispatches", "Dispatches", KindCount}, {"ok", "Went well", KindCount},
			{"ok_share", "Share of those", KindPercent}, {"mean_ms", "Mean milliseconds", KindCount}, {"longest_ms", "Longest, milliseconds", KindCount},
			{"usage", "Used", KindText},
		},
	}
	order := func(a, b vendor) int {
		return cmp.Or(cmp.Compare(a.destination, b.destination), cmp.Compare(a.model, b.model))
	}
	for _, key := range slices.SortedFunc(maps.Keys(d.byVendor), order) {
		s := d.byVendor[key]
		sums.Rows = append(sums.Rows, []string{
			key.destination, key.model, count(s.dispatches), count(s.ok), percent(s.ok, s.dispatches), count(s.total / s.dispatches),
			count(s.longest), counted(s.usage),
		})
	}
	return []Table{lines, sums}
}
