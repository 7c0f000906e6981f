package storagetest

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var deferredClauses = []clause{
	{"Invariant7/an erasure restricts what is held, and takes it once it is released", erasureDeferred},
	{"Invariant7/what is held and about somebody else too stays tied until it is released", sharedDeferred},
	{"Invariant7/an erasure waits for the last hold", erasureWaits},
	{"erasure/of two of one person both come to their end", erasuresOfOne},
	{"erasure/what was deferred and swept needs no erasing", deferredSwept},
}

// people checks whom a value is tied to, and in what state it is.
func (e *estate) people(what string, p Place, m vault.NewMapping, state vault.MappingState, people ...vault.Subject) {
	e.Helper()
	var want []string
	for _, s := range people {
		want = append(want, s.Ref)
	}
	slices.Sort(want)
	got := e.in(p, m)
	slices.Sort(got.SubjectRefs)
	if !slices.Equal(got.SubjectRefs, want) || got.State != state {
		e.Errorf("%s: %s, of %q; want %s, of %q", what, got.State, got.SubjectRefs, state, want)
	}
}

// knows checks whether a person's row is there.
func (e *estate) knows(s vault.Subject, want bool) {
	e.Helper()
	got, err := e.Store.Subjects(e.ctx, e.tenant, []vault.Digest{s.Digest})
	e.no(err)
	if (len(got) == 1) != want {
		e.Errorf("%d rows of a person; want one: %v", len(got), want)
	}
}

func erasureDeferred(w *world) {
	e := w.estate("acme")
	hold := w.hold("acme", vault.HoldMatch{Lookups: []vault.Digest{e.tied.Mapping.Lookup, e.there.Mapping.Lookup}})
	waits, c := w.erase("acme", erasureOf(e.ann))
	counts := vault.ErasureCounts{Erased: 1, Shared: 1, Deferred: 2, Keys: 1, Rekeyed: 1}
	if waits.State != vault.ErasureDeferred || waits.Subject != e.ann.Digest || !waits.CompletedAt.IsZero() ||
		waits.Counts != counts || c.Outcome.Erased != counts {
		w.Errorf("with a hold: %+v, %+v", waits, c.Outcome.Erased)
	}
	w.restores(e.p, e.hers, false)
	w.restores(e.p, e.both, true)
	e.people("what is held", e.p, e.tied, vault.MappingRestricted, e.ann)
	e.people("what is held", e.q, e.there, vault.MappingRestricted, e.ann)
	e.people("what is bob's, too", e.p, e.both, vault.MappingLive, e.bob)
	e.knows(e.ann, true)
	plain := e.p.Restore(e.tied)
	w.refuse(vault.ErrConflict, "acme", plain)
	plain.Refs[0].Restricted = true
	w.commit("acme", plain)
	w.restores(e.q, e.there, true)
	if s := w.keep(e.p, e.p.Value("tied"))[0]; s.Reused {
		w.Error("what is restricted was found again")
	}
	w.clock.Advance(time.Microsecond)
	keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{SubjectRef: e.ann.Ref})
	w.no(err)
	if len(keys) != 1 {
		w.Fatalf("%d keys of the person, want that of what is held", len(keys))
	}
	late := e.p.Value("late")
	late.Mapping.KeyID, late.SubjectRefs = keys[0].ID, []string{e.ann.Ref}
	w.commit("acme", about(e.p, []vault.SubjectUse{{Subject: e.ann}}, late))
	w.release("acme", hold)
	w.clock.Advance(time.Second)
	done, c := w.erase("acme", waits)
	// Those that stay: late; both, near and the new one under the key of tied; the name.
	again := vault.ErasureCounts{Erased: 2, Keys: 2, Rekeyed: 5}
	want := waits
	want.Subject, want.State, want.CompletedAt = vault.Digest{}, vault.ErasureCompleted, w.now()
	want.Counts = vault.ErasureCounts{Erased: 3, Shared: 1, Keys: 3, Rekeyed: 6}
	if diff := cmp.Diff(want, done); diff != "" || c.Outcome.Erased != again {
		w.Errorf("after the release: %s; the last commit: %+v", diff, c.Outcome.Erased)
	}
	w.restores(e.p, e.tied, false)
	w.restores(e.q, e.there, false)
	w.restores(e.p, e.near, true)
	w.commit("acme", vault.Restore{Refs: []vault.RestoreRef{{
		ScopeID: e.p.Scope.ID, TokenID: late.Mapping.TokenID, Entity: "PERSON", KeyID: w.in(e.p, late).KeyID,
	}}})
	e.people("what came later", e.p, late, vault.MappingLive, e.ann)
	e.knows(e.ann, true)
	e.unchanged("a third time", vault.ErrConflict, erasing(done, w.plan("acme", done)))
	w.CheckLog("acme")
}

func sharedDeferred(w *world) {
	e := w.estate("acme")
	hold := w.hold("acme", vault.HoldMatch{Lookups: []vault.Digest{e.both.Mapping.Lookup}})
	e.uses(e.p, "both, too", e.p.Key, false, e.ann, e.bob) // beside one that is not held
	plan := w.plan("acme", erasureOf(e.ann))
	deferred, shared := 0, 0
	for _, part := range plan.Parts {
		deferred, shared = deferred+part.Deferred, shared+part.Shared
	}
	if deferred != 1 || shared != 1 {
		w.Errorf("planned: %+v", plan.Parts)
	}
	waits, _ := w.erase("acme", erasureOf(e.ann))
	if want := (vault.ErasureCounts{Erased: 3, Shared: 1, Deferred: 1, Keys: 2, Rekeyed: 4}); waits.Counts != want || waits.State != vault.ErasureDeferred {
		w.Errorf("with a hold: %+v", waits)
	}
	e.people("what a hold keeps", e.p, e.both, vault.MappingLive, e.ann, e.bob)
	e.knows(e.ann, true)
	w.restores(e.p, e.both, true)
	w.release("acme", hold)
	done, c := w.erase("acme", waits)
	if want := (vault.ErasureCounts{Erased: 3, Shared: 2, Keys: 2, Rekeyed: 4}); done.Counts != want || done.State != vault.ErasureCompleted {
		w.Errorf("after the release: %+v", done)
	}
	if want := (vault.ErasureCounts{Shared: 1}); c.Outcome.Erased != want {
		w.Errorf("the last commit: %+v", c.Outcome.Erased)
	}
	e.people("what is bob's now", e.p, e.both, vault.MappingLive, e.bob)
	e.knows(e.ann, false)
	w.restores(e.p, e.both, true)
}

func erasureWaits(w *world) {
	e := w.estate("acme")
	first, second := w.hold("acme", onValue(e.hers)), w.hold("acme", vault.HoldMatch{Subjects: []vault.Digest{e.ann.Digest}})
	waits, c := w.erase("acme", erasureOf(e.ann))
	if waits.Counts.Erased != 0 || waits.Counts.Deferred != 4 || waits.State != vault.ErasureDeferred {
		w.Errorf("with a hold on all: %+v", waits)
	}
	began := c.At
	w.clock.Advance(time.Second)
	if waits, _ = w.erase("acme", waits); waits.Counts.Deferred != 4 || waits.Counts.Erased != 0 || !waits.ErasedAt.Equal(began) {
		w.Errorf("again: %+v", waits)
	}
	for _, m := range []vault.NewMapping{e.hers, e.tied, e.both} {
		w.restores(e.p, m, true)
	}
	w.release("acme", second)
	waits, c = w.erase("acme", waits)
	if o := c.Outcome.Erased; waits.State != vault.ErasureDeferred || o.Erased != 2 || o.Shared != 1 || o.Deferred != 1 {
		w.Errorf("of two holds one: %+v, %+v", waits, o)
	}
	w.restores(e.p, e.tied, false)
	w.restores(e.p, e.hers, true)
	w.release("acme", first)
	if waits, _ = w.erase("acme", waits); waits.State != vault.ErasureCompleted || waits.Counts.Erased != 3 || waits.Counts.Shared != 1 {
		w.Errorf("without a hold: %+v", waits)
	}
	w.restores(e.p, e.hers, false)
	e.knows(e.ann, false)
	w.CheckLog("acme")
}

func erasuresOfOne(w *world) {
	for i, tenant := range []string{"acme", "globex"} {
		e := w.estate(tenant)
		hold := w.hold(tenant, onValue(e.hers))
		first, _ := w.erase(tenant, erasureOf(e.ann))
		w.clock.Advance(time.Second)
		late := e.q.Value("late")
		late.SubjectRefs = []string{e.ann.Ref}
		w.commit(tenant, about(e.q, []vault.SubjectUse{{Subject: e.ann}}, late))
		w.clock.Advance(time.Second)
		second, _ := w.erase(tenant, erasureOf(e.ann))
		if first.Counts.Erased != 2 || second.Counts.Erased != 1 || second.Counts.Deferred != 1 {
			w.Errorf("%+v, then %+v", first, second)
		}
		w.restores(e.q, late, false)
		w.release(tenant, hold)
		order := []vault.Erasure{first, second}
		if i == 1 {
			slices.Reverse(order)
		}
		for n, of := range order {
			done, c := w.erase(tenant, of)
			if done.State != vault.ErasureCompleted || c.Outcome.Erased.Erased != 1-n || done.Counts.Deferred != 0 {
				w.Errorf("%s, number %d: %+v, %+v", tenant, n, done, c.Outcome.Erased)
			}
		}
		e.knows(e.ann, false)
		w.restores(e.p, e.hers, false)
	}
}

func deferredSwept(w *world) {
	e := w.estate("acme")
	hold := w.hold("acme", onValue(e.hers))
	waits, _ := w.erase("acme", erasureOf(e.ann))
	w.clock.Advance(ttl)
	w.refuse(vault.ErrConflict, "acme", e.p.Sweep(e.hers))
	w.release("acme", hold)
	w.sweepUntilDone("acme", 10)
	done, c := w.erase("acme", waits)
	if done.State != vault.ErasureCompleted || c.Outcome.Erased.Erased != 0 || done.Counts.Erased != 2 || done.Counts.Deferred != 0 {
		w.Errorf("%+v, %+v", done, c.Outcome.Erased)
	}
	e.knows(e.ann, false)
}
