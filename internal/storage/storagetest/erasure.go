package storagetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var erasureClauses = []clause{
	{"Invariant8/what was erased opens no more, and what stays does", erased},
	{"erasure/of a person whom nobody knows is complete at once", erasedNobody},
	{"erasure/comes back as it was asked for", erasureRoundTrip},
	{"erasure/are listed page by page, the newest first", erasurePages},
	{"Invariant6/an erasure in one tenant leaves the others alone", erasedForeign},
	{"erasure/blocks no new values of the person", erasedAgain},
	{"Invariant8/what was erased is erased after a restart", erasedReopened},
}

func erased(w *world) {
	e := w.estate("acme")
	w.clock.Advance(time.Second)
	got, c := w.erase("acme", erasureOf(e.ann))
	for _, m := range []vault.Mapping{w.in(e.p, e.hers), w.in(e.q, e.there), w.in(e.p, e.tied)} {
		if m.KeyAlive {
			w.Errorf("the key of what was erased stands: %+v", m)
		}
	}
	w.restores(e.p, e.hers, false)
	w.restores(e.q, e.there, false)
	w.restores(e.p, e.tied, false)
	w.refuse(vault.ErrConflict, "acme", e.p.Restore(e.near)) // under the key that it had
	for _, stays := range []struct {
		in Place
		m  vault.NewMapping
		by string
	}{{e.p, e.both, e.bob.Ref}, {e.p, e.near, ""}, {e.q, e.far, ""}, {e.q, e.his, e.bob.Ref}} {
		w.restores(stays.in, stays.m, true)
		m := w.in(stays.in, stays.m)
		if refs := m.SubjectRefs; !m.KeyAlive || m.State != vault.MappingLive || len(refs) > 1 || len(refs) == 1 && refs[0] != stays.by {
			w.Errorf("what stays: %+v", m)
		}
		want := string(stays.m.Mapping.Sealed)
		if stays.m.Mapping.KeyID == e.p.Key.ID {
			want = "again " + want
		}
		if string(m.Sealed) != want {
			w.Errorf("it is sealed %q, want %q", m.Sealed, want)
		}
	}
	e.erasedKeys()
	counts := vault.ErasureCounts{Erased: 3, Shared: 1, Keys: 2, Rekeyed: 3}
	if c.Outcome.Erased != counts || got.Counts != counts || got.State != vault.ErasureCompleted ||
		!got.ErasedAt.Equal(c.At) || !got.CompletedAt.Equal(c.At) || !c.At.Equal(w.now()) {
		w.Errorf("the outcome is %+v, the erasure %+v", c.Outcome, got)
	}
	entry, err := audit.ParseLeaf(w.leaf("acme", c.First))
	w.no(err)
	want := map[string]int{"erased": 3, "shared": 1, "deferred": 0, "keys": 2, "rekeyed": 3}
	if diff := cmp.Diff(want, entry.Counts); diff != "" || entry.ChangeID != got.ID {
		w.Errorf("the entry of change %s: %s", entry.ChangeID, diff)
	}
	w.CheckLog("acme")
}

// erasedKeys checks the keys, the name and the people of an estate after ann.
func (e *estate) erasedKeys() {
	e.Helper()
	after := e.picture()
	if len(after.Subjects) != 1 || after.Subjects[0].Ref != e.bob.Ref {
		e.Errorf("people: %+v", after.Subjects)
	}
	sealed := make(map[string]int) // by who owns the key
	for _, k := range after.Keys {
		if k.ID == e.own.ID || k.ID == e.p.Key.ID {
			e.Error("a key stands that was destroyed")
		}
		sealed[k.ScopeID+k.SubjectRef] += k.Sealed
	}
	want := map[string]int{e.p.Scope.ID: 1, e.q.Scope.ID: 1, e.bob.Ref: 2}
	if diff := cmp.Diff(want, sealed); diff != "" {
		e.Errorf("keys, and what they seal: %s", diff)
	}
	scope, err := e.Store.Scope(e.ctx, e.tenant, e.p.Scope.Digest)
	e.no(err)
	keys, err := e.Store.Keys(e.ctx, e.tenant, vault.KeyQuery{IDs: []string{scope.NameKeyID}})
	e.no(err)
	if string(scope.SealedName) != "again sealed p" || len(keys) != 1 || keys[0].ScopeID != scope.ID {
		e.Errorf("the name of the scope: %q, under %+v", scope.SealedName, keys)
	}
}

func erasedNobody(w *world) {
	e := w.estate("acme")
	nobody := erasureOf(person("nobody"))
	nobody.SubjectRef = ""
	got, c := w.erase("acme", nobody)
	if got.State != vault.ErasureCompleted || got.Counts != (vault.ErasureCounts{}) || c.Outcome.Erased != got.Counts ||
		got.SubjectRef != "" || !got.ErasedAt.Equal(w.now()) || !got.CompletedAt.Equal(w.now()) {
		w.Errorf("of nobody: %+v", got)
	}
	w.restores(e.p, e.hers, true)
	// Whoever is known is not nobody.
	known := erasureOf(e.ann)
	known.SubjectRef = ""
	e.unchanged("somebody who is known", vault.ErrConflict, vault.Erase{Erasure: known})
	e.unchanged("nobody, with a key", nil, vault.Erase{Erasure: nobody, Keys: []string{e.own.ID}})
	e.unchanged("nobody, with a fresh key", nil, vault.Erase{Erasure: nobody, Fresh: []vault.DataKey{e.p.FreshKey()}})
	// A person of whom nothing is left is known and has nothing.
	eve := person("eve")
	w.commit("acme", about(e.p, []vault.SubjectUse{{Subject: eve, New: true}}))
	if got, _ := w.erase("acme", erasureOf(eve)); got.State != vault.ErasureCompleted || got.Counts != (vault.ErasureCounts{}) {
		w.Errorf("of somebody without values: %+v", got)
	}
	if known, err := w.Store.Subjects(w.ctx, "acme", []vault.Digest{eve.Digest}); err != nil || len(known) != 0 {
		w.Errorf("the row of the person is there, %v", err)
	}
}

func erasureRoundTrip(w *world) {
	w.tenant("acme")
	at := start.UTC().Truncate(time.Microsecond)
	for i, want := range []vault.Erasure{
		{Reference: "R", Regime: "hipaa", Identity: vault.IdentityCheck{Method: "m", Reference: "r", VerifiedBy: "v", At: at}},
		{Reference: "r é e\u0301 ſ", Regime: "ccpa", Identity: vault.IdentityCheck{Method: "M", Reference: "R é", VerifiedBy: "v", At: at.Add(-life)}},
	} {
		w.clock.Advance(time.Second)
		want.Subject = Digest("round trip", fmt.Sprint(i))
		asked := want
		asked.Counts, asked.State = vault.ErasureCounts{Erased: 7}, vault.ErasureDeferred // none of which counts
		asked.ErasedAt, asked.CompletedAt = at, at
		change := Change(w, "acme", vault.Erase{Erasure: asked})
		_, err := w.Store.Commit(w.ctx, "acme", change)
		w.no(err)
		want.Subject = vault.Digest{} // nothing ties a person to the reference any more
		want.ID, want.State, want.ErasedAt, want.CompletedAt = change.ID(), vault.ErasureCompleted, w.now(), w.now()
		if diff := cmp.Diff(want, w.erasure("acme", change.ID())); diff != "" {
			w.Error(diff)
		}
	}
	for name, spoil := range map[string]func(*vault.Erasure){
		"without a reference": func(e *vault.Erasure) { e.Reference = "" },
		"without a regime":    func(e *vault.Erasure) { e.Regime = "" },
		"without a method":    func(e *vault.Erasure) { e.Identity.Method = "" },
		"with a NUL":          func(e *vault.Erasure) { e.Identity.VerifiedBy = "v\x00" },
		"with broken UTF-8":   func(e *vault.Erasure) { e.Identity.Reference = "\xff" },
	} {
		bad := erasureOf(person("nobody"))
		bad.SubjectRef = ""
		spoil(&bad)
		before := w.size("acme")
		if _, err := w.try("acme", vault.Erase{Erasure: bad}); err == nil || w.size("acme") != before {
			w.Errorf("an erasure %s: %v", name, err)
		}
	}
	if got, err := w.Erasures.Erasures(w.ctx, "acme", vault.ErasureQuery{ID: "none"}); err != nil || len(got) != 0 {
		w.Errorf("of an id that is not there: %d erasures, %v", len(got), err)
	}
}

func erasurePages(w *world) {
	e := w.estate("acme")
	w.hold("acme", vault.HoldMatch{Subjects: []vault.Digest{e.ann.Digest}})
	var all, deferred []string
	for i := range 9 {
		if i%3 == 0 {
			w.clock.Advance(time.Second) // three of each instant
		}
		of := erasureOf(person(fmt.Sprint("nobody ", i)))
		of.SubjectRef = ""
		if i%4 == 1 {
			of = erasureOf(e.ann)
		}
		got, _ := w.erase("acme", of)
		all = append(all, got.ID)
		if got.State == vault.ErasureDeferred {
			deferred = append(deferred, got.ID)
		}
	}
	for i := 0; i < 9; i += 3 {
		slices.Sort(all[i : i+3])
	}
	slices.Reverse(all)
	list := func(state vault.ErasureState, limit int) (ids []string) {
		q := vault.ErasureQuery{State: state, Limit: limit}
		for len(ids) <= len(all) { // a page that does not go on is seen by its length
			page, err := w.Erasures.Erasures(w.ctx, "acme", q)
			w.no(err)
			for _, got := range page {
				ids = append(ids, got.ID)
				q.Before = got.ID
			}
			if len(page) < limit || limit == 0 {
				break
			}
		}
		return ids
	}
	has := func(id string) bool { return slices.Contains(deferred, id) }
	waits, done := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return !has(id) }), slices.DeleteFunc(slices.Clone(all), has)
	if len(waits) != 2 {
		w.Fatalf("%d erasures are deferred, want 2", len(waits))
	}
	for state, want := range map[vault.ErasureState][]string{"": all, vault.ErasureDeferred: waits, vault.ErasureCompleted: done} {
		for _, limit := range []int{0, 1, 2, 4, 100} {
			if diff := cmp.Diff(want, list(state, limit)); diff != "" {
				w.Errorf("in state %q by %d: %s", state, limit, diff)
			}
		}
	}
}

func erasedForeign(w *world) {
	mine, theirs, value := w.twins()
	ann := vault.Subject{Digest: Digest("p"), Ref: value.SubjectRefs[0]}
	got, _ := w.erase("acme", erasureOf(ann))
	w.restores(mine, value, false)
	w.restores(theirs, value, true)
	keys, err := w.Store.Keys(w.ctx, "Acme", vault.KeyQuery{IDs: []string{theirs.Key.ID}})
	w.no(err)
	people, err := w.Store.Subjects(w.ctx, "Acme", []vault.Digest{ann.Digest})
	w.no(err)
	if len(keys) != 1 || len(people) != 1 || len(w.in(theirs, value).SubjectRefs) != 1 {
		w.Errorf("of the other tenant %d keys and %d people are left", len(keys), len(people))
	}
	list, err := w.Erasures.Erasures(w.ctx, "Acme", vault.ErasureQuery{})
	w.no(err)
	byID, err := w.Erasures.Erasures(w.ctx, "Acme", vault.ErasureQuery{ID: got.ID})
	w.no(err)
	if len(list)+len(byID) != 0 {
		w.Errorf("%d and %d erasures of another tenant are read", len(list), len(byID))
	}
	sweep, err := w.Registry.Expired(w.ctx, "Acme", 10)
	w.no(err)
	if len(sweep.Mappings)+len(sweep.Tombstones) != 0 {
		w.Errorf("the other tenant may sweep %+v", sweep)
	}
	w.refuse(vault.ErrConflict, "Acme", theirs.Sweep(value))
	w.refuse(vault.ErrConflict, "Acme", vault.Sweep{Tombstones: []string{mine.Key.ID}})
	plan := w.plan("globex", erasureOf(ann))
	if len(plan.Keys)+len(plan.Survivors)+len(plan.Names)+len(plan.Parts) != 0 {
		w.Errorf("a tenant that is not there would erase %+v", plan)
	}
}

func erasedAgain(w *world) {
	e := w.estate("acme")
	first, _ := w.erase("acme", erasureOf(e.ann))
	ann := person("ann")
	m := e.p.Value("hers")
	key := keyOf(ann)
	m.Mapping.KeyID, m.SubjectRefs = key.ID, []string{ann.Ref}
	stale := about(e.p, []vault.SubjectUse{{Subject: e.ann}}, m)
	stale.Mappings[0].SubjectRefs = []string{e.ann.Ref}
	w.refuse(vault.ErrConflict, "acme", stale) // as the person was read before
	effect := about(e.p, []vault.SubjectUse{{Subject: ann, New: true}}, m)
	effect.Mappings[0].SubjectRefs = []string{ann.Ref}
	effect.Keys = []vault.DataKey{key}
	if s := w.commit("acme", effect).Outcome.Standing[0]; s.Reused || s.TokenID != m.Mapping.TokenID {
		w.Errorf("a value that was erased was found again: %+v", s)
	}
	w.restores(e.p, m, true)
	w.restores(e.p, e.hers, false)
	w.sweepUntilDone("acme", 10)
	w.restores(e.p, m, true)
	second, _ := w.erase("acme", erasureOf(ann))
	if second.Counts != (vault.ErasureCounts{Erased: 1, Keys: 1}) || second.ID == first.ID {
		w.Errorf("erased again: %+v", second)
	}
	w.restores(e.p, m, false)
}

func erasedReopened(w *world) {
	e := w.estate("acme")
	before, _ := w.erase("acme", erasureOf(e.ann))
	w.no(w.Close())
	w.Stores = w.Reopen()
	if diff := cmp.Diff(before, w.erasure("acme", before.ID)); diff != "" {
		w.Error(diff)
	}
	w.restores(e.p, e.hers, false)
	w.restores(e.p, e.near, true)
	if m, _, _ := w.sweepUntilDone("acme", 10); m != 3 {
		w.Errorf("%d mappings were swept, want 3", m)
	}
	w.CheckLog("acme")
}
