package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var logClauses = []clause{
	{"Invariant2/a change without an entry is refused", noEntry},
	{"Invariant2/every change has its entries and every entry its change", everyChange},
	{"Invariant11/entries are contiguous and their leaves exact", logIntegrity},
	{"log/a large entry becomes linked ones, in a row", linkedEntries},
	{"log/receipts verify with the public key alone", receipts},
	{"log/a change is committed once", changeOnce},
	{"log/a change is committed once, with all that rides along", ridersOnce},
	{"log/nodes in a row are those that stand alone", nodesInARow},
	{"log/bookkeeping is a closed list and no entry", notes},
}

// leaf returns the leaf at an index.
func (w *world) leaf(tenant string, index int64) []byte {
	w.Helper()
	got, err := w.Ledger.Entries(w.ctx, tenant, vault.EntryQuery{HasCursor: true, Cursor: index - 1, Limit: 1})
	w.no(err)
	if len(got) != 1 || got[0].Index != index {
		w.Fatalf("entry %d of %s: got %d entries", index, tenant, len(got))
	}
	return got[0].Leaf
}

// CheckLog checks the log of a tenant of this world.
func (w *world) CheckLog(tenant string) {
	w.Helper()
	CheckLog(w.ctx, w, w.Ledger, tenant)
}

// CheckLog recomputes a whole log from its leaves and compares it with what is
// stored: indexes without a gap, leaf hashes, every node, the head, times that
// do not decrease, change ids that are complete and not used twice.
func CheckLog(ctx context.Context, t testing.TB, ledger vault.Ledger, tenant string) {
	t.Helper()
	head, err := ledger.Head(ctx, tenant)
	if err != nil {
		t.Fatalf("head of %s: %v", tenant, err)
	}
	var leaves [][]byte
	var last audit.Entry
	seen := make(map[string]bool)
	for q := (vault.EntryQuery{Limit: 100}); ; q.HasCursor, q.Cursor = true, int64(len(leaves)-1) {
		page, err := ledger.Entries(ctx, tenant, q)
		if err != nil {
			t.Fatalf("entries of %s: %v", tenant, err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			last = checkEntry(t, tenant, int64(len(leaves)), e, last, seen)
			leaves = append(leaves, e.Leaf)
		}
	}
	batch, err := audit.Frontier{}.Append(leaves)
	if err != nil {
		t.Fatalf("the tree of %s: %v", tenant, err)
	}
	if diff := cmp.Diff(batch.Frontier, head.Frontier); diff != "" {
		t.Errorf("the head of %s is not that of its %d leaves: %s", tenant, len(leaves), diff)
	}
	if !last.Time.Equal(head.At) {
		t.Errorf("the head of %s is of %v, its last entry of %v", tenant, head.At, last.Time)
	}
	for _, n := range batch.Nodes {
		if got, err := ledger.Node(ctx, tenant, n.Level, n.N); err != nil || got != n.Hash {
			t.Errorf("node %d of level %d of %s: %v, %v", n.N, n.Level, tenant, got, err)
		}
	}
	for i, h := range batch.Leaves {
		if got, err := ledger.Node(ctx, tenant, 0, int64(i)); err != nil || got != h {
			t.Errorf("leaf hash %d of %s: %v, %v", i, tenant, got, err)
		}
	}
	if _, err := ledger.Node(ctx, tenant, 0, int64(len(leaves))); err == nil {
		t.Errorf("%s has a leaf hash beyond its end", tenant)
	}
}

func checkEntry(t testing.TB, tenant string, index int64, stored vault.StoredEntry, last audit.Entry, seen map[string]bool) audit.Entry {
	t.Helper()
	e, err := audit.ParseLeaf(stored.Leaf)
	if err != nil {
		t.Fatalf("leaf %d of %s: %v", index, tenant, err)
	}
	switch {
	case stored.Index != index:
		t.Fatalf("index %d of %s follows %d", stored.Index, tenant, index-1)
	case stored.LeafHash != audit.LeafHash(stored.Leaf):
		t.Errorf("the hash of leaf %d of %s is another", index, tenant)
	case e.Tenant != tenant:
		t.Errorf("leaf %d of %s is of %s", index, tenant, e.Tenant)
	case e.Time.Before(last.Time):
		t.Errorf("leaf %d of %s is of %v, after one of %v", index, tenant, e.Time, last.Time)
	case e.Seq == 0 && seen[e.ChangeID]:
		t.Errorf("leaf %d of %s repeats a change", index, tenant)
	case e.Seq > 0 && (e.ChangeID != last.ChangeID || e.Seq != last.Seq+1 || e.Prev != fmt.Sprintf("%x", leafHash(t, last))):
		t.Errorf("leaf %d of %s does not follow the part before it", index, tenant)
	}
	seen[e.ChangeID] = true
	return e
}

func leafHash(t testing.TB, e audit.Entry) []byte {
	t.Helper()
	leaf, err := e.Leaf()
	if err != nil {
		t.Fatalf("a leaf: %v", err)
	}
	h := audit.LeafHash(leaf)
	return h[:]
}

func noEntry(w *world) {
	w.tenant("acme")
	before := w.size("acme")
	_, err := w.Store.Commit(w.ctx, "acme", vault.Change{})
	w.is(err, vault.ErrNoEntry)
	// An entry of another tenant is none either.
	w.tenant("globex")
	_, err = w.Store.Commit(w.ctx, "globex", Change(w, "acme", vault.Record{}))
	w.is(err, vault.ErrNoEntry)
	if w.size("acme") != before || w.size("globex") != before {
		w.Error("a change without its entry left one")
	}
}

func everyChange(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	effects := []vault.Effect{p.Tokenize(m), p.Restore(m), vault.Record{}, p.Restore(p.Value("none")), p.Tokenize(m)}
	for _, effect := range effects {
		change := Change(w, "acme", effect)
		before := w.size("acme")
		c, err := w.Store.Commit(w.ctx, "acme", change)
		found, ferr := w.Ledger.Entries(w.ctx, "acme", vault.EntryQuery{ChangeID: change.ID()})
		w.no(ferr)
		switch {
		case err != nil && len(found) != 0:
			w.Errorf("%T failed with %v and has %d entries", effect, err, len(found))
		case err == nil && (len(found) != 1 || c.First != before || c.Count != 1 || found[0].Index != before):
			w.Errorf("%T: committed at %d, %d entries, found %d", effect, c.First, c.Count, len(found))
		}
	}
	w.CheckLog("acme")
}

func logIntegrity(w *world) {
	p := w.place("acme")
	w.tenant("globex")
	for i := range 70 {
		w.keep(p, p.Value(fmt.Sprint("value ", i)))
		if i%3 == 0 {
			w.commit("globex", vault.Record{})
			w.refuse(vault.ErrConflict, "acme", p.Restore(p.Value("none")))
		}
	}
	w.CheckLog("acme")
	w.CheckLog("globex")
	if n := w.size("acme"); n != 72 {
		w.Errorf("the log has %d entries, want 72", n)
	}
}

func linkedEntries(w *world) {
	w.tenant("acme")
	entry := audit.Entry{Kind: audit.KindIntegrityFailure, Actor: "svc-1"}
	for i := range 2*audit.MaxTokens + 10 {
		entry.Tokens = append(entry.Tokens, fmt.Sprintf("TOKEN%05d", i))
	}
	w.commit("acme", vault.Record{})
	change := changeWith(w, "acme", vault.Record{}, entry)
	c, err := w.Store.Commit(w.ctx, "acme", change)
	w.no(err)
	if c.First != 2 || c.Count != 3 {
		w.Errorf("linked entries at %d, %d of them; want 3 at 2", c.First, c.Count)
	}
	found, err := w.Ledger.Entries(w.ctx, "acme", vault.EntryQuery{ChangeID: change.ID()})
	w.no(err)
	if len(found) != 3 {
		w.Errorf("%d entries are found by the change's id, want 3", len(found))
	}
	w.commit("acme", vault.Record{})
	w.CheckLog("acme")
}

func nodesInARow(w *world) {
	p := w.place("acme")
	w.tenant("globex")
	for i := range 4 {
		w.keep(p, p.Value(fmt.Sprint(i, "a")))
		w.window("acme", Change(w, "acme", vault.Record{}), Change(w, "acme", vault.Record{}))
	}
	size := w.size("acme")
	for level := 0; size>>level > 0; level++ {
		for from := int64(0); from < size>>level; from++ {
			for count := 1; from+int64(count) <= size>>level; count++ {
				got, err := w.Ledger.Nodes(w.ctx, "acme", level, from, count)
				w.no(err)
				var want []audit.Hash
				for n := from; n < from+int64(count); n++ {
					one, err := w.Ledger.Node(w.ctx, "acme", level, n)
					w.no(err)
					want = append(want, one)
				}
				if !slices.Equal(want, got) {
					w.Errorf("%d nodes of level %d from %d on are not those that stand alone", count, level, from)
				}
			}
		}
		_, err := w.Ledger.Nodes(w.ctx, "acme", level, 0, int(size>>level)+1)
		w.is(err, vault.ErrNotFound)
	}
	for _, from := range []int64{-1, size, math.MaxInt64} {
		_, err := w.Ledger.Nodes(w.ctx, "acme", 0, from, 2)
		w.is(err, vault.ErrNotFound)
	}
	for _, count := range []int{-1, 0, audit.TileWidth + 1} {
		if _, err := w.Ledger.Nodes(w.ctx, "acme", 0, 0, count); err == nil || errors.Is(err, vault.ErrNotFound) {
			w.Errorf("%d nodes at once: %v", count, err)
		}
	}
	_, err := w.Ledger.Nodes(w.ctx, "nobody", 0, 0, 1)
	w.is(err, vault.ErrNotFound)
}

func receipts(w *world) {
	w.tenant("acme")
	signer, err := audit.NewSigner(audit.Origin("log.test", "acme"), bytes.Repeat([]byte{7}, 32))
	w.no(err)
	var answers []answer
	for i := range 5 {
		changes := make([]vault.Change, i+1)
		for k := range changes {
			changes[k] = Change(w, "acme", vault.Record{})
		}
		answers = append(answers, w.window("acme", changes...)...)
	}
	for _, a := range answers {
		w.no(a.err)
		r, err := a.Tree.Receipt(signer, a.First)
		w.no(err)
		w.no(r.Verify(signer.VerifierKey()))
		if want := audit.LeafHash(w.leaf("acme", a.First)); r.LeafHash != want || r.Index != a.First {
			w.Errorf("the receipt of entry %d is for another leaf", a.First)
		}
	}
}

func changeOnce(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	change := Change(w, "acme", p.Tokenize(m))
	_, err := w.Store.Commit(w.ctx, "acme", change)
	w.no(err)
	size := w.size("acme")
	w.clock.Advance(ttl / 2)
	_, err = w.Store.Commit(w.ctx, "acme", change)
	w.is(err, vault.ErrConflict)
	twice := Change(w, "acme", vault.Record{})
	answers := w.window("acme", twice, twice)
	if (answers[0].err == nil) == (answers[1].err == nil) {
		w.Errorf("one change twice in a batch: %v and %v", answers[0].err, answers[1].err)
	}
	if got := w.size("acme"); got != size+1 {
		w.Errorf("the log grew by %d entries, want 1", got-size)
	}
	w.CheckLog("acme")
}

func ridersOnce(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	costs := p.Restore(m)
	costs.Spends = []vault.Spend{spend("a", 1, 10)}
	restore := Change(w, "acme", costs).Opening(review("mia", w.now().Add(life))).Notifying("restore", []byte("{}"))
	opens := Change(w, "acme", vault.OpenProceeding{Proceeding: review("max", w.now().Add(life))})
	redeem := redeeming(Change(w, "acme", vault.Record{}), w.approved("acme", vault.ProceedingApproval, time.Time{}))
	size := w.size("acme")
	other := func() vault.Change { return Change(w, "acme", p.Restore(m)) }
	answers := w.window("acme", other(), restore, restore, other(), opens, opens, redeem, redeem, restore, other())
	want := []bool{true, true, false, true, true, false, true, false, false, true}
	for i, a := range answers {
		if (a.err == nil) != want[i] {
			w.Errorf("change %d: %v", i, a.err)
		}
	}
	for _, c := range []vault.Change{restore, opens, redeem} {
		w.refuseChange(vault.ErrConflict, "acme", c)
	}
	if got := w.size("acme"); got != size+6 {
		w.Errorf("the log grew by %d entries, want 6", got-size)
	}
	w.wantSpent("once", "acme", "a", 1)
	if n := len(w.proceedings("acme", vault.ProceedingQuery{Kind: vault.ProceedingReview})); n != 2 || len(w.take("acme", 10)) != 1 {
		w.Errorf("%d reviews were opened, want 2, or there is not one notice", n)
	}
	w.CheckLog("acme")
}

func notes(w *world) {
	w.tenant("acme")
	// What was published, exported and put together is there whatever a note says: none
	// of it widens access.
	pinned := []vault.NoteKind{vault.NoteCheckpoint, vault.NoteExport, vault.NoteEvidence}
	if kinds := vault.NoteKinds(); !slices.Equal(kinds, pinned) {
		w.Errorf("the list of bookkeeping is %q: a new kind needs a reason why it has no entry", kinds)
	}
	size := w.size("acme")
	_, err := w.Books.LastNote(w.ctx, "acme", vault.NoteCheckpoint)
	w.is(err, vault.ErrNotFound)
	for _, body := range []string{"first", "second"} {
		w.clock.Advance(ttl)
		w.no(w.Books.Note(w.ctx, "acme", vault.Note{Kind: vault.NoteCheckpoint, Body: []byte(body), At: start}))
		got, err := w.Books.LastNote(w.ctx, "acme", vault.NoteCheckpoint)
		w.no(err)
		if diff := cmp.Diff(vault.Note{Kind: vault.NoteCheckpoint, Body: []byte(body), At: w.now()}, got); diff != "" {
			w.Error(diff)
		}
	}
	ahead := vault.Note{Kind: vault.NoteCheckpoint, Order: 7, Body: []byte("ahead")}
	for _, n := range []vault.Note{ahead, {Kind: vault.NoteCheckpoint, Order: 6, Body: []byte("behind")}} {
		w.no(w.Books.Note(w.ctx, "acme", n))
	}
	if got, err := w.Books.LastNote(w.ctx, "acme", vault.NoteCheckpoint); err != nil || string(got.Body) != "ahead" || got.Order != 7 {
		w.Errorf("one that is behind won: %+v, %v", got, err)
	}
	for _, kind := range pinned[1:] {
		_, err := w.Books.LastNote(w.ctx, "acme", kind)
		w.is(err, vault.ErrNotFound)
		w.no(w.Books.Note(w.ctx, "acme", vault.Note{Kind: kind, Order: 1, Body: []byte(kind)}))
		if got, err := w.Books.LastNote(w.ctx, "acme", kind); err != nil || string(got.Body) != string(kind) {
			w.Errorf("a note of %s: %+v, %v", kind, got, err)
		}
	}
	if w.Books.Note(w.ctx, "acme", vault.Note{Kind: "grant"}) == nil {
		w.Error("bookkeeping of a kind that is not in the list was written")
	}
	if w.size("acme") != size {
		w.Error("a note made an entry")
	}
}
