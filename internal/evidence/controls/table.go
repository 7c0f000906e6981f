package controls

import (
	"strconv"
	"strings"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// Table draws results as a part of the evidence.
func Table(results []Result) evidence.Table {
	t := evidence.Table{
		Name: evidence.TableControls, Title: "Controls",
		Query: "Each control of the catalogue, tried on the log by its query.",
		Notes: []string{
			"pass: it held for all that was looked at. fail: it did not; its exceptions name their entries, the first " + strconv.Itoa(MaxEntries) + " of them.",
			"partial: it held, and some of it could not be judged. not_tested: there was nothing to look at, or what it takes was not given.",
		},
		Columns: []evidence.Column{
			{Name: "control", Title: "Control", Kind: evidence.KindRef}, {Name: "title", Title: "Title", Kind: evidence.KindText},
			{Name: "clauses", Title: "Clauses", Kind: evidence.KindText}, {Name: "query", Title: "Query", Kind: evidence.KindText},
			{Name: "frequency", Title: "Tried", Kind: evidence.KindText}, {Name: "result", Title: "Result", Kind: evidence.KindText},
			{Name: "population", Title: "Looked at", Kind: evidence.KindCount}, {Name: "exceptions", Title: "Exceptions", Kind: evidence.KindCount},
			{Name: "unknown", Title: "Not judged", Kind: evidence.KindCount}, {Name: "entries", Title: "Entries of the exceptions", Kind: evidence.KindText},
			{Name: "detail", Title: "What was found", Kind: evidence.KindText}, {Name: "not_covered", Title: "What it does not cover", Kind: evidence.KindText},
		},
	}
	for _, r := range results {
		entries := make([]string, len(r.Entries))
		for i, index := range r.Entries {
			entries[i] = strconv.FormatInt(index, 10)
		}
		t.Rows = append(t.Rows, []string{
			r.ID, r.Title, strings.Join(r.Clauses, ", "), r.Query, string(r.Frequency), string(r.Outcome),
			strconv.Itoa(r.Population), strconv.Itoa(r.Exceptions), strconv.Itoa(r.Unknown), strings.Join(entries, " "),
			strings.Join(r.Detail, "; "), r.NotCovered,
		})
	}
	return t
}
