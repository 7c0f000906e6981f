package evidence

import (
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// ErrSource says that a source is no log: entries are missing or out of order.
var ErrSource = errors.New("evidence: the source is not a log")

// ErrPeriod says that a period is none.
var ErrPeriod = errors.New("evidence: a period is two times in whole seconds UTC, the first before the second")

// A Period is [From, To), in whole seconds UTC.
type Period struct{ From, To time.Time }

// Check tells whether it is one.
func (p Period) Check() error {
	for _, t := range []time.Time{p.From, p.To} {
		if t.Location() != time.UTC || !t.Equal(t.Truncate(time.Second)) || t.IsZero() {
			return ErrPeriod
		}
	}
	if !p.From.Before(p.To) {
		return fmt.Errorf("%w: it is empty", ErrPeriod)
	}
	return nil
}

// Holds tells whether a moment is in the period.
func (p Period) Holds(t time.Time) bool { return !t.Before(p.From) && t.Before(p.To) }

// An Entry is an entry with its place. One that was pruned has a hash and no Leaf,
// and its Entry is zero.
type Entry struct {
	Index int64
	Hash  audit.Hash
	Leaf  []byte
	Entry audit.Entry
}

// Pruned tells whether the leaf is gone.
func (e Entry) Pruned() bool { return e.Leaf == nil }

// A Source walks a whole log, from index 0 to the size of its checkpoint, in order:
// what stands at the beginning of a period follows from what came before. An error
// of yield ends the walk and is returned as it is. It may be walked several times,
// and gives the same entries each time. The entry is good until yield returns.
type Source func(yield func(Entry) error) error

// A ColumnKind says what the cells of a column are. An empty cell of any kind is
// what the log does not tell.
type ColumnKind string

// The kinds of columns.
const (
	KindText     ColumnKind = "text"
	KindCount    ColumnKind = "count"    // a decimal number
	KindTime     ColumnKind = "time"     // RFC 3339 in UTC, as in the entry
	KindDuration ColumnKind = "duration" // whole seconds
	KindPercent  ColumnKind = "percent"  // a decimal number with at most two decimals, without the sign
	KindRef      ColumnKind = "ref"      // an identifier: of a change, a hold, a token, a policy version
)

// A Column is one column of a table.
type Column struct {
	Name  string // snake case, unique in the table
	Title string // for people
	Kind  ColumnKind
}

// A Table is one part of the evidence: drawn as CSV and JSON, and in the report.
type Table struct {
	Name    string // unique among the tables, a file name without its ending
	Title   string
	Query   string // what was asked of the log, in words that somebody else can repeat
	Columns []Column
	Rows    [][]string
	Entries []int64  // the index of the entry of each row; nil where rows are sums
	Notes   []string // what has to be known to read it, and what it cannot tell
}

// Evidence is what a log and the facts around it say about a period.
type Evidence struct {
	Tenant, Origin, ToolVersion string
	Made                        time.Time
	Period                      Period
	Size                        int64      // of the log that was walked
	Root                        audit.Hash // of that log
	First, Last                 int64      // index of the first entry of the period and of that after its last
	Tables                      []Table
}

// Table returns the table of a name, and whether there is one.
func (e *Evidence) Table(name string) (Table, bool) {
	for _, t := range e.Tables {
		if t.Name == name {
			return t, true
		}
	}
	return Table{}, false
}
