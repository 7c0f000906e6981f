package storagetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// PrunesAtOnce is how many leaves the pruners of the suite take out in a batch: few,
// so that small logs need several.
const PrunesAtOnce = 4

var pruneClauses = []clause{
	{"Invariant11/pruned leaves go, and nothing of the tree", pruneKeepsTree},
	{"Invariant2/nothing is pruned that no entry says", pruneNeedsEntry},
	{"prune/only what it names: kinds, range, time, tenant", pruneOnly},
	{"prune/what is out stays out, and is found by index alone", pruneFound},
}

// Pruned makes logs of which a part may be pruned: of acme entries of three kinds, a
// second apart, the entry that says so at the end; of globex the same without it.
func Pruned(ctx context.Context, t testing.TB, store vault.Store, advance func(time.Duration)) {
	t.Helper()
	for _, tenant := range []string{"acme", "globex"} {
		changes := []vault.Change{Change(t, tenant, Provision())}
		for i := range 21 {
			e := audit.Entry{Kind: []audit.Kind{audit.KindOutcome, audit.KindDispatch, audit.KindOutcome}[i%3], Actor: "ann", RequestID: fmt.Sprint("r", i)}
			changes = append(changes, changeWith(t, tenant, vault.Record{}, e))
		}
		if tenant == "acme" {
			changes = append(changes, pruneEntry(t, tenant, 3, 20))
		}
		for _, c := range changes {
			if _, err := store.Commit(ctx, tenant, c); err != nil {
				t.Fatal(err)
			}
			advance(time.Second)
		}
	}
}

// OfPruned is what may be pruned of such a log: fourteen of its entries are of the
// kind, eleven of them in the range.
func OfPruned(before time.Time) vault.Pruning {
	return vault.Pruning{From: 3, To: 20, Kinds: []audit.Kind{audit.KindOutcome}, Before: before}
}

func pruneEntry(t testing.TB, tenant string, from, to int) vault.Change {
	return changeWith(t, tenant, vault.Record{}, audit.Entry{
		Kind: audit.KindPrune, Actor: "operator", Counts: map[string]int{vault.CountPruneFrom: from, vault.CountPruneTo: to},
	})
}

// prune closes the store, prunes, and opens it again.
func (w *world) prune(tenant string, p vault.Pruning) (int64, error) {
	w.Helper()
	w.no(w.Close())
	pruner, done := w.Pruner()
	n, err := pruner.Prune(w.ctx, tenant, p)
	w.no(done())
	w.Stores = w.Reopen()
	return n, err
}

// pruned are the indexes whose leaf is out.
func (w *world) pruned(tenant string) (indexes []int64) {
	w.Helper()
	for _, e := range LogOf(w.ctx, w, w.Ledger, tenant) {
		if e.Leaf == nil {
			indexes = append(indexes, e.Index)
		} else if audit.LeafHash(e.Leaf) != e.LeafHash {
			w.Errorf("the leaf of entry %d is another", e.Index)
		}
	}
	return indexes
}

// LogOf reads all entries of a log.
func LogOf(ctx context.Context, t testing.TB, ledger vault.Ledger, tenant string) []vault.StoredEntry {
	t.Helper()
	all, err := ledger.Entries(ctx, tenant, vault.EntryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// tree is what every proof of a log is made of.
func (w *world) tree(tenant string) (nodes []audit.Hash) {
	w.Helper()
	size := w.size(tenant)
	for level := 0; size>>level > 0; level++ {
		row, err := w.Ledger.Nodes(w.ctx, tenant, level, 0, int(size>>level))
		w.no(err)
		nodes = append(nodes, row...)
	}
	return nodes
}

// EverOfPruned are the indexes that go.
var EverOfPruned = []int64{3, 4, 6, 7, 9, 10, 12, 13, 15, 16, 18, 19}

func pruneKeepsTree(w *world) {
	Pruned(w.ctx, w, w.Store, w.clock.Advance)
	head, err := w.Ledger.Head(w.ctx, "acme")
	w.no(err)
	nodes := w.tree("acme")
	n, err := w.prune("acme", OfPruned(w.now()))
	w.no(err)
	if diff := cmp.Diff(EverOfPruned, w.pruned("acme")); diff != "" || n != int64(len(EverOfPruned)) {
		w.Errorf("%d leaves went: %s", n, diff)
	}
	after, err := w.Ledger.Head(w.ctx, "acme")
	w.no(err)
	if diff := cmp.Diff(head, after); diff != "" {
		w.Errorf("the head: %s", diff)
	}
	if !slices.Equal(nodes, w.tree("acme")) {
		w.Error("a node is another")
	}
	// The log goes on as if nothing had been.
	var leaves []audit.Hash
	for _, e := range LogOf(w.ctx, w, w.Ledger, "acme") {
		leaves = append(leaves, e.LeafHash)
	}
	w.commit("acme", vault.Record{})
	grown, err := head.Frontier.Append([][]byte{w.leaf("acme", head.Frontier.Size)})
	w.no(err)
	after, err = w.Ledger.Head(w.ctx, "acme")
	w.no(err)
	if diff := cmp.Diff(grown.Frontier, after.Frontier); diff != "" || len(leaves) != 23 {
		w.Errorf("after %d entries: %s", len(leaves), diff)
	}
	w.CheckLog("globex")
}

func pruneNeedsEntry(w *world) {
	Pruned(w.ctx, w, w.Store, w.clock.Advance)
	ok := OfPruned(w.now())
	for name, spoil := range map[string]func(*vault.Pruning){
		"begins before": func(p *vault.Pruning) { p.From-- },
		"ends after":    func(p *vault.Pruning) { p.To++ },
		"all":           func(p *vault.Pruning) { p.From, p.To = 0, 1<<40 },
	} {
		p := ok
		spoil(&p)
		n, err := w.prune("acme", p)
		w.is(err, vault.ErrNoEntry)
		if n != 0 || w.pruned("acme") != nil {
			w.Errorf("%s: %d leaves went", name, n)
		}
	}
	for _, tenant := range []string{"globex", "nobody"} {
		n, err := w.prune(tenant, ok)
		w.is(err, vault.ErrNoEntry)
		if n != 0 {
			w.Errorf("%s: %d leaves went", tenant, n)
		}
	}
	for _, spoil := range []func(*vault.Pruning){
		func(p *vault.Pruning) { p.From = -1 }, func(p *vault.Pruning) { p.To = p.From - 1 },
		func(p *vault.Pruning) { p.Kinds = nil }, func(p *vault.Pruning) { p.Before = time.Time{} },
	} {
		p := ok
		spoil(&p)
		if _, err := w.prune("acme", p); err == nil {
			w.Errorf("%+v was pruned", p)
		}
	}
	if w.pruned("acme") != nil {
		w.Error("something was pruned")
	}
}

func pruneOnly(w *world) {
	began := w.now()
	Pruned(w.ctx, w, w.Store, w.clock.Advance)
	w.commit("globex", vault.Record{})
	_, err := w.Store.Commit(w.ctx, "globex", pruneEntry(w, "globex", 0, 100))
	w.no(err)
	// The entry at index i is i seconds younger than the first.
	half := OfPruned(began.Add(10*time.Second + time.Nanosecond))
	for _, tt := range []struct {
		p    vault.Pruning
		want []int64
	}{
		{vault.Pruning{From: 3, To: 3, Kinds: half.Kinds, Before: half.Before}, nil},
		{vault.Pruning{From: 3, To: 20, Kinds: []audit.Kind{audit.KindControl}, Before: half.Before}, nil},
		{vault.Pruning{From: 3, To: 20, Kinds: half.Kinds, Before: began}, nil},
		{vault.Pruning{From: 5, To: 7, Kinds: half.Kinds, Before: half.Before}, []int64{6}},
		{half, []int64{3, 4, 6, 7, 9, 10}},
		{vault.Pruning{From: 3, To: 20, Kinds: []audit.Kind{audit.KindDispatch, audit.KindDispatch}, Before: half.Before}, []int64{3, 4, 5, 6, 7, 8, 9, 10}},
	} {
		was := len(w.pruned("acme"))
		n, err := w.prune("acme", tt.p)
		w.no(err)
		got := w.pruned("acme")
		if diff := cmp.Diff(tt.want, got); diff != "" || n != int64(len(got)-was) {
			w.Errorf("%+v: %d went: %s", tt.p, n, diff)
		}
	}
	if got := w.pruned("globex"); got != nil {
		w.Errorf("of another tenant %v went", got)
	}
	w.CheckLog("globex")
}

func pruneFound(w *world) {
	Pruned(w.ctx, w, w.Store, w.clock.Advance)
	pruned := OfPruned(w.now())
	if n, err := w.prune("acme", pruned); err != nil || n != int64(len(EverOfPruned)) {
		w.Errorf("%d went, %v", n, err)
	}
	if n, err := w.prune("acme", pruned); err != nil || n != 0 {
		w.Errorf("again, %d went, %v", n, err)
	}
	for q, want := range map[*vault.EntryQuery]int{
		{RequestID: "r3"}: 0, {RequestID: "r4"}: 1, {Actor: "ann"}: 21 - len(EverOfPruned), {Kind: "outcome"}: 14 - len(EverOfPruned),
		{}: 23, {HasCursor: true, Cursor: 2, Limit: 4}: 4, {Since: pruned.Before.Add(-5 * time.Second)}: 0,
	} {
		if got := w.find(*q); len(got) != want {
			w.Errorf("%+v: %v, want %d", *q, got, want)
		}
	}
}
