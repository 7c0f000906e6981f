package report

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// A number is one of the key figures at the head of the summary.
type number struct {
	Name, Value, Beside string
}

// numbers are the key figures, each from one table: its lines, or the sum of a
// column, and what the cells of another one say how often.
func numbers(e *evidence.Evidence) []number {
	var out []number
	for _, one := range keyFigures {
		t, given := e.Table(one.table)
		if !given {
			continue
		}
		n := number{Name: one.name, Value: count(int64(len(t.Rows)))}
		if i := column(t, one.sum); i >= 0 {
			c := cells{t, map[string]int{one.sum: i}}
			var sum int64
			for _, row := range t.Rows {
				sum += c.number(row, one.sum)
			}
			n.Value = count(sum)
		}
		n.Beside = beside(t, one.by, one.words)
		out = append(out, n)
	}
	return out
}

// keyFigures say where each comes from. words name the cells of the column by that
// are worth a word, in this order.
var keyFigures = []struct {
	name, table, sum, by string
	words                [][2]string
}{
	{"Restorations", evidence.TableRestorations, "", "kind", [][2]string{{"restore", "at once"}, {"grant", "by stream"}}},
	{"Denials", evidence.TableDenials, "denials", "", nil},
	{"Approvals asked for", evidence.TableApprovals, "", "state", [][2]string{{"used", "used"}, {"approved", "agreed to"}, {"rejected", "rejected"}, {"open", "open"}}},
	{"Break-glass", evidence.TableBreakGlass, "", "state", [][2]string{{"in_time", "reviewed in time"}, {"late", "late"}, {"overdue", "overdue"}, {"open", "open"}}},
	{"Policy versions", evidence.TablePolicyVersions, "", "", nil},
	{"Holds", evidence.TableHolds, "", "", nil},
	{"Erasures", evidence.TableErasures, "", "", nil},
	{"Suspensions", evidence.TableSuspensions, "", "", nil},
	{"Incidents", evidence.TableIncidents, "", "", nil},
}

func beside(t evidence.Table, by string, words [][2]string) string {
	i := column(t, by)
	if i < 0 {
		return ""
	}
	counts := make(map[string]int64)
	for _, row := range t.Rows {
		counts[row[i]]++
	}
	var out []string
	for _, w := range words {
		if n := counts[w[0]]; n > 0 {
			out = append(out, count(n)+" "+w[1])
		}
	}
	return strings.Join(out, ", ")
}
