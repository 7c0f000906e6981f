package entryrow_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// row is what the tables hold of an entry.
func row(t *testing.T, e audit.Entry) entryrow.Row {
	t.Helper()
	e.V, e.Tenant, e.ChangeID, e.Time = audit.Version, "acme", "c-1", time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	leaf, err := e.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	return entryrow.Row{
		StoredEntry: vault.StoredEntry{Index: 7, Leaf: leaf, LeafHash: audit.LeafHash(leaf)},
		Time:        e.Time, ChangeID: e.ChangeID, Terms: entryrow.TermsOf(&e),
	}
}

var decided = audit.Entry{
	Kind: audit.KindApprovalDecide, Actor: "mia", Decision: audit.Allow, Client: audit.Client{ClientID: "console"},
	Destination: "vendor:eu", Reference: "CASE-1", ScopeRefs: []string{"s2", "s1", "s2"}, SubjectRefs: []string{"p1"},
	Obligations: []string{"approver:mia", "approver:max", "class:restricted", "destination:vendor:eu", "destination:vendor:us", "class:", "form:full"},
	Entities:    map[string]int{"PERSON": 1}, Tokens: []string{"AAAA"},
}

// TestTerms: each once, in one order, of everything that is searched by.
func TestTerms(t *testing.T) {
	want := []entryrow.Term{
		{Field: "actor", Value: "mia"}, {Field: "approver", Value: "max"}, {Field: "approver", Value: "mia"},
		{Field: "class", Value: "restricted"}, {Field: "client", Value: "console"}, {Field: "decision", Value: "allow"},
		{Field: "destination", Value: "vendor:eu"}, {Field: "destination", Value: "vendor:us"}, {Field: "entity", Value: "PERSON"},
		{Field: "kind", Value: "approval_decide"}, {Field: "reference", Value: "CASE-1"}, {Field: "scope", Value: "s1"},
		{Field: "scope", Value: "s2"}, {Field: "subject", Value: "p1"}, {Field: "token", Value: "AAAA"},
	}
	if diff := cmp.Diff(want, entryrow.TermsOf(&decided)); diff != "" {
		t.Error(diff)
	}
}

// TestWanted: the rarest first, and what is named twice once.
func TestWanted(t *testing.T) {
	got := entryrow.Wanted(vault.EntryQuery{Kind: "erase", Scopes: []string{"s2", "s1", "s2"}, RequestID: "r", Decision: audit.Deny})
	want := []entryrow.Wish{
		{Field: "request", Values: []string{"r"}}, {Field: "scope", Values: []string{"s1", "s2"}},
		{Field: "kind", Values: []string{"erase"}}, {Field: "decision", Values: []string{"deny"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := entryrow.Wanted(vault.EntryQuery{Limit: 7, Descending: true, ChangeID: "c"}); len(got) != 0 {
		t.Errorf("nothing is wished: %v", got)
	}
}

// TestInvariant11_PrunedRow: a row without its leaf has no terms, and its other
// columns stay.
func TestInvariant11_PrunedRow(t *testing.T) {
	r := row(t, decided)
	if err := r.Check("acme"); err != nil {
		t.Fatal(err)
	}
	r.Leaf = nil
	if err := r.Check("acme"); !errors.Is(err, entryrow.ErrColumn) {
		t.Errorf("twin: a leaf is gone and its terms stand: %v", err)
	}
	r.Terms = nil
	if err := r.Check("acme"); err != nil {
		t.Error(err)
	}
}

// TestInvariant2_Says: a range is pruned where an entry of the log says so.
func TestInvariant2_Says(t *testing.T) {
	entry := audit.Entry{Kind: audit.KindPrune, Counts: map[string]int{vault.CountPruneFrom: 10, vault.CountPruneTo: 20}}
	at25 := func(e audit.Entry) vault.StoredEntry {
		stored := row(t, e).StoredEntry
		stored.Index = 25
		return stored
	}
	stored := at25(entry)
	for p, want := range map[[2]int64]bool{
		{10, 20}: true, {11, 19}: true, {10, 10}: true, {9, 20}: false, {10, 21}: false, {0, 5}: false,
	} {
		if got := entryrow.Says(&stored, "acme", vault.Pruning{From: p[0], To: p[1]}); got != want {
			t.Errorf("%v: %t", p, got)
		}
	}
	p := vault.Pruning{From: 12, To: 13}
	for name, spoil := range map[string]func(*vault.StoredEntry){
		"pruned itself":        func(e *vault.StoredEntry) { e.Leaf = nil },
		"another hash":         func(e *vault.StoredEntry) { e.LeafHash[0]++ },
		"not an entry":         func(e *vault.StoredEntry) { e.Leaf = []byte("{}"); e.LeafHash = audit.LeafHash(e.Leaf) },
		"another kind":         func(e *vault.StoredEntry) { *e = at25(audit.Entry{Kind: audit.KindSweep, Counts: entry.Counts}) },
		"without a range":      func(e *vault.StoredEntry) { *e = at25(audit.Entry{Kind: audit.KindPrune}) },
		"what stands after it": func(e *vault.StoredEntry) { e.Index = 12 },
		"a refusal": func(e *vault.StoredEntry) {
			*e = at25(audit.Entry{Kind: audit.KindPrune, Counts: entry.Counts, Decision: audit.Deny})
		},
	} {
		other := stored
		spoil(&other)
		if entryrow.Says(&other, "acme", p) {
			t.Errorf("%s: it says so", name)
		}
	}
	if entryrow.Says(&stored, "globex", p) {
		t.Error("it says so of another tenant")
	}
}

// TestInvariant11_Prunable: only what is named goes, as it was hashed.
func TestInvariant11_Prunable(t *testing.T) {
	r := row(t, decided)
	ok := vault.Pruning{From: 7, To: 8, Kinds: []audit.Kind{audit.KindSweep, audit.KindApprovalDecide}, Before: r.Time.Add(time.Microsecond)}
	if err := errors.Join(entryrow.CheckPruning(ok), r.CheckPrunable("acme", ok)); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*entryrow.Row, *vault.Pruning){
		"before the range": func(_ *entryrow.Row, p *vault.Pruning) { p.From = 8 },
		"after the range":  func(_ *entryrow.Row, p *vault.Pruning) { p.To = 7 },
		"another kind":     func(_ *entryrow.Row, p *vault.Pruning) { p.Kinds = p.Kinds[:1] },
		"too young":        func(r *entryrow.Row, p *vault.Pruning) { p.Before = r.Time },
		"another leaf":     func(r *entryrow.Row, _ *vault.Pruning) { r.Leaf = row(t, audit.Entry{Kind: audit.KindSweep}).Leaf },
		"another term":     func(r *entryrow.Row, _ *vault.Pruning) { r.Terms = r.Terms[1:] },
		"out already":      func(r *entryrow.Row, _ *vault.Pruning) { r.Leaf, r.Terms = nil, nil },
	} {
		spoiled, p := r, ok
		spoil(&spoiled, &p)
		if err := spoiled.CheckPrunable("acme", p); !errors.Is(err, entryrow.ErrColumn) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
