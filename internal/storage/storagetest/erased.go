package storagetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var erasedClauses = []clause{
	{"sweep/what was erased goes first, then its tombstones", erasedSwept},
	{"sweep/what was erased is swept also where a hold matches it", erasedHeld},
	{"sweep/a tombstone is done once nothing is under its key", tombstoneDone},
	{"sweep/what was erased and has expired is swept once", erasedExpired},
	{"persons/what was erased is neither seen nor tied nor counted", erasedUnseen},
}

func erasedSwept(w *world) {
	e := w.estate("acme")
	w.erase("acme", erasureOf(e.ann))
	sweep := func(limit int) vault.Sweep {
		w.Helper()
		s, err := w.Registry.Expired(w.ctx, "acme", limit)
		w.no(err)
		return s
	}
	if s := sweep(2); len(s.Mappings) != 2 || len(s.Tombstones)+len(s.Keys)+len(s.Scopes) != 0 {
		w.Fatalf("of three that were erased, at most two: %+v", s)
	}
	first := sweep(1)
	w.commit("acme", first)
	w.refuse(vault.ErrConflict, "acme", first)
	s := sweep(10)
	want := e.p.Sweep(e.hers, e.tied).Mappings
	want = append(want, e.q.Sweep(e.there).Mappings...)
	want = slices.DeleteFunc(want, func(m vault.MappingRef) bool { return m == first.Mappings[0] })
	for _, m := range want {
		if !slices.Contains(s.Mappings, m) {
			w.Errorf("%+v is not to be swept", m)
		}
	}
	if len(s.Mappings) != 2 || len(s.Tombstones) != 0 {
		w.Errorf("to be swept: %+v", s)
	}
	w.refuse(vault.ErrConflict, "acme", vault.Sweep{Mappings: append(slices.Clone(s.Mappings), e.p.Sweep(e.near).Mappings...)})
	w.commit("acme", s)
	if left := w.read(e.p, e.hers.Mapping.TokenID, e.tied.Mapping.TokenID); len(left) != 0 || len(w.read(e.q, e.there.Mapping.TokenID)) != 0 {
		w.Errorf("rows of what was erased and swept: %+v", left)
	}
	keys := []string{e.own.ID, e.p.Key.ID}
	slices.Sort(keys)
	if s := sweep(1); len(s.Tombstones) != 1 || len(s.Mappings) != 0 {
		w.Errorf("of two tombstones, one: %+v", s)
	}
	s = sweep(10)
	slices.Sort(s.Tombstones)
	if diff := cmp.Diff(vault.Sweep{Tombstones: keys}, s); diff != "" {
		w.Errorf("without a mapping: %s", diff)
	}
	w.commit("acme", s)
	w.refuse(vault.ErrConflict, "acme", s)
	if s := sweep(10); len(s.Mappings)+len(s.Tombstones)+len(s.Keys)+len(s.Scopes) != 0 {
		w.Errorf("when all is done: %+v", s)
	}
	w.restores(e.p, e.near, true)
	w.CheckLog("acme")
}

func erasedHeld(w *world) {
	e := w.estate("acme")
	w.erase("acme", erasureOf(e.ann))
	w.hold("acme", vault.HoldMatch{Entities: []string{"PERSON"}})
	w.restores(e.p, e.hers, false)
	w.commit("acme", e.p.Sweep(e.hers))
	w.refuse(vault.ErrConflict, "acme", e.p.Sweep(e.near))
	w.clock.Advance(2 * ttl)
	w.refuse(vault.ErrConflict, "acme", e.p.Sweep(e.near))
	if m, k, s := w.sweepUntilDone("acme", 10); m != 2 || k != 0 || s != 0 {
		w.Errorf("%d mappings, %d keys, %d scopes were swept; want the two that are left of what was erased", m, k, s)
	}
	// Nor is an erasure deferred by what is gone already.
	f := w.estate("globex")
	id := w.hold("globex", onValue(f.hers))
	got, _ := w.erase("globex", erasureOf(f.ann))
	if got.State != vault.ErasureDeferred || got.Counts.Erased != 2 {
		w.Fatalf("with a hold: %+v", got)
	}
	w.release("globex", id)
	w.hold("globex", onValue(f.there))
	plan := w.plan("globex", got)
	if len(plan.Parts) != 1 || plan.Parts[0] != (vault.ErasurePart{ScopeID: f.p.Scope.ID, Erased: 1}) {
		w.Errorf("beside what is gone: %+v", plan.Parts)
	}
	if got, _ := w.erase("globex", got); got.State != vault.ErasureCompleted || got.Counts.Erased != 3 || got.Counts.Deferred != 0 {
		w.Errorf("with a hold on what was erased: %+v", got)
	}
}

func tombstoneDone(w *world) {
	e := w.estate("acme")
	w.erase("acme", erasureOf(e.ann))
	both := vault.Sweep{Tombstones: []string{e.own.ID, e.p.Key.ID}}
	w.refuse(vault.ErrConflict, "acme", both)
	w.commit("acme", e.p.Sweep(e.tied))
	w.refuse(vault.ErrConflict, "acme", both)
	w.refuse(vault.ErrConflict, "acme", vault.Sweep{Tombstones: []string{e.own.ID}})
	w.commit("acme", vault.Sweep{Tombstones: []string{e.p.Key.ID}})
	for _, none := range []string{"none", "", e.q.Key.ID, e.p.Key.ID, "\xff"} {
		w.refuse(vault.ErrConflict, "acme", vault.Sweep{Tombstones: []string{none}})
	}
	// In one sweep with the last that is under it.
	last := e.p.Sweep(e.hers)
	last.Mappings = append(last.Mappings, e.q.Sweep(e.there).Mappings...)
	last.Tombstones = []string{e.own.ID, e.own.ID}
	w.refuse(vault.ErrConflict, "acme", last)
	last.Tombstones = last.Tombstones[:1]
	w.commit("acme", last)
}

func erasedExpired(w *world) {
	e := w.estate("acme")
	w.erase("acme", erasureOf(e.ann))
	w.clock.Advance(ttl)
	// The keys of the scopes seal their names still; bob had one, and one more of
	// what was sealed anew.
	if m, k, s := w.sweepUntilDone("acme", 100); m != 7 || k != 2 || s != 0 {
		w.Errorf("%d mappings, %d keys, %d scopes were swept; want 7, 2, 0", m, k, s)
	}
	w.CheckLog("acme")
}

func erasedUnseen(w *world) {
	e := w.estate("acme")
	lookups := []vault.Digest{e.hers.Mapping.Lookup, e.there.Mapping.Lookup, e.near.Mapping.Lookup}
	before := w.seen("acme", vault.PersonQuery{Subjects: []vault.Digest{e.ann.Digest}, Lookups: lookups})
	if len(before) != 2 || before[0].Mappings+before[1].Mappings != 5 {
		w.Fatalf("before: %+v", before)
	}
	w.erase("acme", erasureOf(e.ann))
	after := w.seen("acme", vault.PersonQuery{Subjects: []vault.Digest{e.ann.Digest}, Lookups: lookups})
	if len(after) != 1 || after[0].Mappings != 1 || after[0].ScopeID != e.p.Scope.ID || len(after[0].SubjectRefs) != 0 {
		w.Errorf("after: %+v", after)
	}
	c := w.commit("acme", vault.LinkSubject{Subject: vault.SubjectUse{Subject: e.bob}, Lookups: lookups})
	if c.Outcome.Linked != 1 {
		w.Errorf("%d were tied, want the one that stands", c.Outcome.Linked)
	}
	reach, err := w.Custody.Reach(w.ctx, "acme", vault.HoldMatch{Lookups: lookups})
	w.no(err)
	if reach.Mappings != 1 || reach.Scopes != 1 {
		w.Errorf("a hold on what was erased would reach %+v", reach)
	}
	w.clock.Advance(time.Second)
	if m, _, _ := w.sweepUntilDone("acme", 2); m != 3 {
		w.Errorf("%d mappings were swept, want 3", m)
	}
	if got := fmt.Sprint(w.seen("acme", vault.PersonQuery{Lookups: lookups[:2]})); got != "[]" {
		w.Errorf("after the sweep: %s", got)
	}
}
