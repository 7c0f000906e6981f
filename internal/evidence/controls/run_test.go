package controls_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/controls"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
)

func TestNothingIsAPassWhereTheCatalogueSaysSo(t *testing.T) {
	m := newLog(t).begun()
	for none, want := range map[controls.Outcome]controls.Outcome{controls.Pass: controls.Pass, "": controls.NotTested} {
		results, err := controls.Run(context.Background(), one("incidents_notified_in_time", none), m.source(), m.facts, period)
		if err != nil || results[0].Outcome != want {
			t.Errorf("none %q: %v, %v", none, results, err)
		}
	}
	m.facts.Export = nil
	results, err := controls.Run(context.Background(), one("export_current", controls.Pass), m.source(), m.facts, period)
	if err != nil || results[0].Outcome != controls.NotTested {
		t.Errorf("what was not given is a pass: %v, %v", results, err)
	}
}

func TestWhatComesAfterThePeriodChangesNothing(t *testing.T) {
	for name, c := range queryCases {
		m := newLog(t).begun()
		c.sound(m)
		before := m.ask(name)
		m.by("gw", to, restored(""))
		m.by("ann", to.Add(day), step(audit.KindAccessReview, "", ""))
		m.by("gw", to.Add(day), audit.Entry{Kind: audit.KindIntegrityFailure, Tokens: []string{"7K3QX9M2"}})
		m.by("pia", to.Add(2*day), erased("proceeding:x", 0))
		if diff := cmp.Diff(before, m.ask(name)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", name, diff)
		}
	}
}

func TestExceptionsAreNamedUpToALimit(t *testing.T) {
	m := newLog(t).begun()
	for range controls.MaxEntries + 20 {
		m.by("gw", on(1), restored(""))
	}
	r := m.ask("restorations_have_reason")
	if r.Exceptions != controls.MaxEntries+20 || len(r.Entries) != controls.MaxEntries || r.Entries[0] != 1 {
		t.Errorf("%d exceptions, %d named, the first %v", r.Exceptions, len(r.Entries), r.Entries[:1])
	}
	if want := strconv.Itoa(r.Exceptions) + ": a restoration without a reason"; lines(r) != want {
		t.Errorf("detail %q, want %q", lines(r), want)
	}
}

func TestRunEnds(t *testing.T) {
	m := newLog(t).begun()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := controls.Run(ctx, one("log_consistent", ""), m.source(), m.facts, period); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled run: %v", err)
	}
	broken := errors.New("the disk is gone")
	source := evidence.Source(func(func(evidence.Entry) error) error { return broken })
	if _, err := controls.Run(context.Background(), one("log_consistent", ""), source, m.facts, period); !errors.Is(err, broken) {
		t.Errorf("a log that cannot be read: %v", err)
	}
	if _, err := controls.Run(context.Background(), one("log_consistent", ""), m.source(), m.facts, evidence.Period{From: to, To: from}); !errors.Is(err, evidence.ErrPeriod) {
		t.Errorf("a period that is none: %v", err)
	}
	if _, err := controls.Run(context.Background(), one("something", ""), m.source(), m.facts, period); !errors.Is(err, controls.ErrCatalogue) {
		t.Errorf("an unknown query: %v", err)
	}
}

func TestTable(t *testing.T) {
	m := newLog(t).begun()
	m.by("gw", on(1), restored(""))
	table := controls.Table([]controls.Result{m.ask("restorations_have_reason"), m.ask("incidents_notified_in_time")})
	if table.Name != evidence.TableControls || len(table.Rows) != 2 || len(table.Rows[0]) != len(table.Columns) {
		t.Fatalf("%+v", table)
	}
	want := []string{
		"T-1", "a control", "GDPR 5", "restorations_have_reason", "daily", "fail", "1", "1", "0", "1",
		"1: a restoration without a reason", "all else",
	}
	if diff := cmp.Diff(want, table.Rows[0]); diff != "" {
		t.Errorf("the first row (-want +got):\n%s", diff)
	}
	if table.Rows[1][5] != "not_tested" {
		t.Errorf("the second row: %v", table.Rows[1])
	}
}

// A whole quarter, as package vault would have written it: each control of the
// shipped catalogue comes to something, with its exceptions among the entries.
func TestQuarter(t *testing.T) {
	q := evidencetest.MadeQuarter(1, 2000)
	results, err := controls.Run(context.Background(), shipped(t), q.Source(), q.Facts, q.Period)
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[controls.Outcome]int)
	for _, r := range results {
		counts[r.Outcome]++
		t.Logf("%-6s %-10s of %d, %d exceptions %v: %s", r.ID, r.Outcome, r.Population, r.Exceptions, r.Entries, lines(r))
		if (r.Outcome == controls.Fail) != (r.Exceptions > 0) || len(r.Entries) > r.Exceptions {
			t.Errorf("%s: %s with %d exceptions", r.ID, r.Outcome, r.Exceptions)
		}
		if r.Outcome == controls.Pass && r.Unknown > 0 {
			t.Errorf("%s passes, and %d could not be judged", r.ID, r.Unknown)
		}
	}
	if counts[controls.Pass] < 10 {
		t.Errorf("of a made quarter: %v", counts)
	}
}

// Of any log made of sound and spoilt parts each query counts no more exceptions
// than it looked at, and says the same each time.
func TestRunIsSound(t *testing.T) {
	names := make([]string, 0, len(queryCases))
	for _, q := range controls.Queries() {
		names = append(names, q.Name)
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := newLog(t).begun()
		for range rapid.IntRange(1, 3).Draw(rt, "parts") {
			c := queryCases[rapid.SampledFrom(names).Draw(rt, "part")]
			if m.facts.Export == nil {
				continue
			}
			c.sound(m)
		}
		query := rapid.SampledFrom(names).Draw(rt, "query")
		first, again := m.ask(query), m.ask(query)
		if diff := cmp.Diff(first, again); diff != "" {
			rt.Fatalf("%s says something else the second time:\n%s", query, diff)
		}
		for _, index := range first.Entries {
			if index < 0 || index >= int64(len(m.entries)) {
				rt.Fatalf("%s names entry %d of %d", query, index, len(m.entries))
			}
		}
		if text := strings.Join(first.Detail, " "); strings.Contains(text, "7K3QX9M2") || strings.Contains(text, "TICKET") {
			rt.Fatalf("%s says what stood in an entry", query)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	q := evidencetest.MadeQuarter(1, 100_000)
	catalogue := shipped(b)
	for b.Loop() {
		if _, err := controls.Run(context.Background(), catalogue, q.Source(), q.Facts, q.Period); err != nil {
			b.Fatal(err)
		}
	}
}
