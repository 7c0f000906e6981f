package evidence

import (
	"cmp"
	"maps"
	"slices"
)

// denials are the lines of what was refused, and their sums by reason and code.
type denials struct {
	*builder
	rows     [][]string
	entries  []int64
	byReason map[denialKey]*denialSum
}

type denialKey struct{ reason, kind, code string }

type denialSum struct {
	entries, denials int
	actors           map[string]bool
}

func (d *denials) take(c *Change, in bool) {
	n := c.Denials()
	if !in || n == 0 || c.Entry.Seq > 0 {
		return
	}
	e, w := &c.Entry, d.words.one
	d.entries = append(d.entries, c.First)
	d.rows = append(d.rows, []string{
		place(c.First), moment(e.Time), own(e.ChangeID), w(string(e.Kind)), w(e.Code), count(n), w(e.Reason), own(e.Reference),
		w(e.Actor), w(e.Client.ClientID), w(e.OnBehalfOf), w(counted(e.Results)), w(list(e.RuleIDs)), w(e.PolicyVersion), own(e.RequestID),
	})
	code := e.Code
	if code == "" { // decided token by token: the results say what stood in the way
		code = list(names(e.Results))
	}
	key := denialKey{w(e.Reason), w(string(e.Kind)), w(code)}
	s := d.byReason[key]
	if s == nil {
		s = &denialSum{actors: make(map[string]bool)}
		d.byReason[key] = s
	}
	s.entries++
	s.denials += n
	s.actors[w(e.Actor)] = true
}

func (d *denials) tables() []Table {
	lines := Table{
		Name: TableDenials, Title: "Denials", Rows: d.rows, Entries: d.entries,
		Query: "Changes with the decision deny, of any kind, in the period.",
		Notes: []string{
			"Identical denials of a caller within a minute are counted in one entry: the column denials says how many it stands for.",
			"Requests without a valid credential belong to no tenant: the system's own log counts them.",
		},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Time", KindTime}, {"change_id", "Change", KindRef}, {"kind", "Kind", KindText},
			{"code", "Code", KindText}, {"denials", "Denials", KindCount}, {"reason", "Reason", KindText}, {"reference", "Reference", KindRef},
			{"actor", "Actor", KindRef}, {"client", "Client", KindRef}, {"end_user", "End user (digest)", KindRef},
			{"results", "Results", KindText}, {"rules", "Rules", KindText}, {"policy_version", "Policy version", KindRef},
			{"request_id", "Request", KindRef},
		},
	}
	sums := Table{
		Name: TableDenialsReason, Title: "Denials by reason and code",
		Query: "The same denials as in the table denials, summed by reason, kind and code, or where there is no code by the names of the results.",
		Columns: []Column{
			{"reason", "Reason", KindText}, {"kind", "Kind", KindText}, {"code", "Code or results", KindText}, {"entries", "Entries", KindCount},
			{"denials", "Denials", KindCount}, {"actors", "Different actors", KindCount},
		},
	}
	for _, k := range slices.SortedFunc(maps.Keys(d.byReason), denialKey.compare) {
		s := d.byReason[k]
		sums.Rows = append(sums.Rows, []string{k.reason, k.kind, k.code, count(s.entries), count(s.denials), count(len(s.actors))})
	}
	return []Table{lines, sums}
}

func (k denialKey) compare(o denialKey) int {
	return cmp.Or(cmp.Compare(k.reason, o.reason), cmp.Compare(k.kind, o.kind), cmp.Compare(k.code, o.code))
}
