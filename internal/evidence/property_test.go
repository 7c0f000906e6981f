package evidence_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
)

// seeds are the quarters of the property tests.
func seeds() int {
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		return 200
	}
	return 4
}

func quarters(t *testing.T, do func(t *testing.T, q *evidencetest.Quarter)) {
	for seed := range seeds() {
		t.Run(strconv.Itoa(seed), func(t *testing.T) { do(t, evidencetest.MadeQuarter(uint64(seed), 1500)) })
	}
}

func built(t testing.TB, q *evidencetest.Quarter) *evidence.Evidence {
	t.Helper()
	e, err := evidence.Build(context.Background(), q.Source(), q.Facts, q.Period)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// column returns the cells of a column of a table.
func column(t testing.TB, e *evidence.Evidence, table, name string) []string {
	t.Helper()
	found, there := e.Table(table)
	if !there {
		t.Fatalf("there is no table %s", table)
	}
	at := slices.IndexFunc(found.Columns, func(c evidence.Column) bool { return c.Name == name })
	if at < 0 {
		t.Fatalf("the table %s has no column %s", table, name)
	}
	var cells []string
	for _, row := range found.Rows {
		cells = append(cells, row[at])
	}
	return cells
}

func total(t testing.TB, cells []string) (n int) {
	t.Helper()
	for _, cell := range cells {
		c, err := strconv.Atoi(cell)
		if err != nil {
			t.Fatal(err)
		}
		n += c
	}
	return n
}

// TestSums shows that the summaries add up to the lines, and these to what a naive
// reading of the entries finds.
func TestSums(t *testing.T) {
	quarters(t, func(t *testing.T, q *evidencetest.Quarter) {
		e := built(t, q)
		restorations, tokens, denials, values := 0, 0, 0, 0
		err := q.Source()(func(one evidence.Entry) error {
			x := one.Entry
			if !q.Period.Holds(x.Time) {
				return nil
			}
			restores := x.Kind == audit.KindRestore || x.Kind == audit.KindGrant
			switch {
			case x.Decision == audit.Deny && x.Seq == 0:
				denials += max(1, x.Counts["denials"])
			case restores:
				tokens += len(x.Tokens)
				for _, n := range x.Entities {
					values += n
				}
				if x.Seq == 0 {
					restorations++
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		lines := column(t, e, evidence.TableRestorations, "tokens")
		if len(lines) != restorations || total(t, lines) != tokens {
			t.Errorf("%d lines with %d tokens, the log has %d with %d", len(lines), total(t, lines), restorations, tokens)
		}
		for _, by := range []string{evidence.TableRestorationsReason, evidence.TableRestorationsActor, evidence.TableRestorationsEndUser} {
			if n, m := total(t, column(t, e, by, "restorations")), total(t, column(t, e, by, "tokens")); n != restorations || m != tokens {
				t.Errorf("%s sums up to %d restorations with %d tokens, not to %d with %d", by, n, m, restorations, tokens)
			}
		}
		if n := total(t, column(t, e, evidence.TableRestorationsEntity, "values")); n != values {
			t.Errorf("by entity there are %d values, the log has %d", n, values)
		}
		for _, table := range []string{evidence.TableDenials, evidence.TableDenialsReason} {
			if n := total(t, column(t, e, table, "denials")); n != denials {
				t.Errorf("%s has %d denials, the log %d", table, n, denials)
			}
		}
	})
}

// TestTablesAreWhole shows that every table can be drawn, that its rows point at the
// entries that they are of, and that cells are of the kind of their column.
func TestTablesAreWhole(t *testing.T) {
	q := evidencetest.MadeQuarter(1, 1500)
	seen := make(map[string]bool)
	for _, table := range built(t, q).Tables {
		if seen[table.Name] || table.Title == "" || table.Query == "" || len(table.Rows) == 0 {
			t.Errorf("%s: there twice, without a title or a query, or empty", table.Name)
		}
		seen[table.Name] = true
		if table.Entries != nil && len(table.Entries) != len(table.Rows) {
			t.Errorf("%s: %d entries for %d rows", table.Name, len(table.Entries), len(table.Rows))
		}
		names := make(map[string]bool)
		for i, c := range table.Columns {
			if names[c.Name] || c.Title == "" {
				t.Errorf("%s: the column %s is there twice or has no title", table.Name, c.Name)
			}
			names[c.Name] = true
			for j, row := range table.Rows {
				if fault := misfit(c.Kind, row[i]); fault != "" {
					t.Fatalf("%s: row %d, %s: %s", table.Name, j, c.Name, fault)
				}
				if table.Entries != nil && c.Name == "entry" && row[i] != strconv.FormatInt(table.Entries[j], 10) {
					t.Fatalf("%s: row %d names another entry than it is of", table.Name, j)
				}
			}
		}
	}
}

// misfit says what is wrong with a cell, nothing for an empty one.
func misfit(kind evidence.ColumnKind, cell string) string {
	var err error
	switch {
	case cell == "":
	case kind == evidence.KindCount:
		var n int
		if n, err = strconv.Atoi(cell); n < 0 {
			return "a negative count"
		}
	case kind == evidence.KindTime:
		_, err = time.Parse("2006-01-02T15:04:05.000000Z", cell)
	case kind == evidence.KindDuration:
		_, err = strconv.ParseInt(cell, 10, 64)
	case kind == evidence.KindPercent:
		_, err = strconv.ParseFloat(cell, 64)
	case kind == evidence.KindRef && strings.ContainsAny(cell, " \n"):
		return "an identifier with a blank"
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// TestPeriodIsClosed shows that what comes after a period changes nothing in its
// tables and populations: a log that ends with the period says the same.
func TestPeriodIsClosed(t *testing.T) {
	q := evidencetest.MadeQuarter(1, 1500)
	for _, to := range []time.Time{q.Period.From.AddDate(0, 0, 43), q.Period.To} {
		period := evidence.Period{From: q.Period.From, To: to}
		short := func(yield func(evidence.Entry) error) error {
			return q.Source()(func(one evidence.Entry) error {
				if !one.Entry.Time.Before(to) {
					return nil
				}
				return yield(one)
			})
		}
		whole, err := evidence.Build(context.Background(), q.Source(), q.Facts, period)
		if err != nil {
			t.Fatal(err)
		}
		cut, err := evidence.Build(context.Background(), short, q.Facts, period)
		if err != nil {
			t.Fatal(err)
		}
		if cut.Size >= whole.Size {
			t.Fatal("nothing comes after the period")
		}
		if diff := cmp.Diff(cut.Tables, whole.Tables); diff != "" {
			t.Errorf("what came later changed the tables: %s", diff)
		}
		for _, kind := range evidence.PopulationKinds() {
			a, b := populated(t, q.Source(), period, kind), populated(t, short, period, kind)
			if a.Digest != b.Digest || len(a.Items) == 0 && kind != evidence.PopulationPolicy {
				t.Errorf("what came later changed the population of %s, or it is empty", kind)
			}
		}
	}
}

// TestPeriodsJoin shows that nothing is counted in two periods or in none: the
// populations of two halves are that of the whole.
func TestPeriodsJoin(t *testing.T) {
	quarters(t, func(t *testing.T, q *evidencetest.Quarter) {
		for _, kind := range evidence.PopulationKinds() {
			whole := populated(t, q.Source(), q.Period, kind)
			// The border is at an item where there is one, to the second.
			border := q.Period.From.AddDate(0, 1, 0)
			if n := len(whole.Items); n > 1 {
				border = whole.Items[n/2].Time.Truncate(time.Second)
			}
			first := populated(t, q.Source(), evidence.Period{From: q.Period.From, To: border}, kind)
			second := populated(t, q.Source(), evidence.Period{From: border, To: q.Period.To}, kind)
			if diff := cmp.Diff(whole.Items, slices.Concat(first.Items, second.Items)); diff != "" {
				t.Errorf("%s: %s", kind, diff)
			}
			if first.Last != second.First {
				t.Errorf("%s: one period ends at entry %d, the next begins at %d", kind, first.Last, second.First)
			}
		}
	})
}

func populated(t testing.TB, log evidence.Source, period evidence.Period, kind evidence.PopulationKind) *evidence.Population {
	t.Helper()
	p, err := evidence.Populate(context.Background(), log, evidencetest.Origin, period, kind, evidence.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPruned shows that pruned entries are counted by their hashes and named as gone.
func TestPruned(t *testing.T) {
	whole, pruned := evidencetest.MadeQuarter(3, 1000), evidencetest.MadePruned(3, 1000)
	gone := 0
	for i, leaf := range pruned.Leaves {
		if leaf == nil {
			gone++
		} else if i < len(whole.Leaves)/20 && pruned.Hashes[i] != whole.Hashes[i] {
			t.Fatalf("entry %d is another one", i)
		}
	}
	e := built(t, pruned)
	if e.Root != pruned.Root || gone == 0 {
		t.Error("the root is another one, or nothing was pruned")
	}
	for _, table := range e.Tables {
		if note := table.Notes[len(table.Notes)-1]; !strings.HasPrefix(note, fmt.Sprint(gone, " entries of the log were pruned")) {
			t.Errorf("%s does not say that entries are gone", table.Name)
		}
	}
	p := populated(t, pruned.Source(), pruned.Period, evidence.PopulationRestorations)
	if p.Pruned != gone {
		t.Errorf("the population counts %d as gone, there are %d", p.Pruned, gone)
	}
}

// TestInvariant11_SourceTwin shows that a source with a gap, or out of order, is no
// log.
func TestInvariant11_SourceTwin(t *testing.T) {
	q := evidencetest.MadeQuarter(3, 500)
	for name, skip := range map[string]func(i int64) (int64, bool){
		"nothing": func(i int64) (int64, bool) { return i, true },
		"a gap":   func(i int64) (int64, bool) { return i, i != 100 },
		"swapped": func(i int64) (int64, bool) {
			if i == 100 || i == 101 {
				return 201 - i, true
			}
			return i, true
		},
	} {
		log := func(yield func(evidence.Entry) error) error {
			return q.Source()(func(one evidence.Entry) error {
				if i, there := skip(one.Index); there {
					one.Index = i
					return yield(one)
				}
				return nil
			})
		}
		_, built := evidence.Build(context.Background(), log, q.Facts, q.Period)
		_, listed := evidence.Populate(context.Background(), log, evidencetest.Origin, q.Period, evidence.PopulationKeys, evidence.Filter{})
		_, hashed := evidence.NewTree(log)
		for _, err := range []error{built, listed, hashed} {
			if (err == nil) != (name == "nothing") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestPeriodCheck(t *testing.T) {
	from := july.From
	for name, p := range map[string]evidence.Period{
		"empty":        {From: from, To: from},
		"backwards":    {From: july.To, To: from},
		"a fraction":   {From: from.Add(time.Millisecond), To: july.To},
		"another zone": {From: from.In(time.FixedZone("CEST", 7200)), To: july.To},
		"open":         {From: from},
	} {
		if p.Check() == nil {
			t.Errorf("%s: it is a period", name)
		}
	}
	if err := july.Check(); err != nil || !july.Holds(july.From) || july.Holds(july.To) {
		t.Errorf("a month is none, or holds its end: %v", err)
	}
}

func TestBuildEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	q := evidencetest.MadeQuarter(3, 500)
	if _, err := evidence.Build(ctx, q.Source(), q.Facts, q.Period); err == nil {
		t.Error("it goes on after the context is done")
	}
}
