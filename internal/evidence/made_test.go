package evidence_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

const origin = "counterfoil.local/log/acme"

// july is the period of logs that are made by hand.
var july = evidence.Period{From: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)}

// A log is made by hand, entry by entry.
type log struct {
	t       testing.TB
	entries []evidence.Entry
	now     time.Time
}

func newLog(t testing.TB) *log { return &log{t: t, now: july.From.AddDate(0, 0, -10)} }

// on moves the clock to a day of July and an hour; days before it are negative.
func (l *log) on(day, hour int) *log {
	l.now = july.From.AddDate(0, 0, day-1).Add(time.Duration(hour) * time.Hour)
	return l
}

// add commits a change and returns its id. What is not set is filled in.
func (l *log) add(e audit.Entry) string {
	l.t.Helper()
	if e.ChangeID == "" {
		e.ChangeID = fmt.Sprintf("c%02d", len(l.entries))
	}
	e.Tenant, e.PolicyVersion = "acme", pick(e.PolicyVersion, "v1")
	if e.Decision == "" {
		e.Decision = audit.Allow
	}
	e.Channel = pick(e.Channel, "api")
	parts, err := audit.Link(e)
	if err != nil {
		l.t.Fatal(err)
	}
	leaves, err := audit.Finalise(parts, l.now)
	if err != nil {
		l.t.Fatal(err)
	}
	for i, leaf := range leaves {
		l.entries = append(l.entries, evidence.Entry{Index: int64(len(l.entries)), Hash: audit.LeafHash(leaf), Leaf: leaf, Entry: parts[i]})
	}
	return e.ChangeID
}

func pick(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (l *log) source() evidence.Source {
	return func(yield func(evidence.Entry) error) error {
		for _, one := range l.entries {
			one.Entry.Entities = maps.Clone(one.Entry.Entities) // good until yield returns
			if err := yield(one); err != nil {
				return err
			}
		}
		return nil
	}
}

func (l *log) built(facts evidence.Facts) *evidence.Evidence {
	l.t.Helper()
	e, err := evidence.Build(l.t.Context(), l.source(), facts, july)
	if err != nil {
		l.t.Fatal(err)
	}
	return e
}

// tokens makes n ids.
func tokens(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("T%07d", i)
	}
	return ids
}

func naming(prefix, id string) []string { return []string{prefix + id} }

// drawn is evidence as text: each row with the cells that are not empty.
func drawn(e *evidence.Evidence) string {
	var b strings.Builder
	fmt.Fprintf(&b, "entries %d to %d of %d\n", e.First, e.Last, e.Size)
	for _, t := range e.Tables {
		fmt.Fprintf(&b, "\n%s: %s\n", t.Name, t.Title)
		for i, row := range t.Rows {
			var cells []string
			for j, cell := range row {
				if cell != "" {
					cells = append(cells, t.Columns[j].Name+"="+cell)
				}
			}
			if t.Entries != nil {
				fmt.Fprintf(&b, "  [%d]", t.Entries[i])
			}
			fmt.Fprintf(&b, "  %s\n", strings.Join(cells, " | "))
		}
	}
	return b.String()
}
