package storagetest

import (
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var heldClauses = []clause{
	{"Invariant7/a sweep that was planned before a hold destroys nothing", heldAfterPlan},
	{"Invariant7/in one window/of a hold and a sweep the first decides", holdAndSweep},
	{"Invariant7/what is held is kept until the last hold is released", heldUntilReleased},
	{"Invariant7/a key that seals what is held is not destroyed", heldKey},
	{"Invariant7/what is held is restored only by what reaches it", heldRestored},
	{"Invariant7/what is held is found again after it was replaced", heldRetired},
	{"Invariant7/a hold is there after a restart", heldReopened},
}

// onValue matches one value, wherever it is.
func onValue(m vault.NewMapping) vault.HoldMatch {
	return vault.HoldMatch{Lookups: []vault.Digest{m.Mapping.Lookup}}
}

func heldAfterPlan(w *world) {
	p := w.place("acme")
	mine, other := p.Value("mine"), p.Value("other")
	w.keep(p, mine, other)
	w.clock.Advance(ttl)
	plan, err := w.Registry.Expired(w.ctx, "acme", 10)
	w.no(err)
	if len(plan.Mappings) != 2 {
		w.Fatalf("planned: %+v", plan)
	}
	id := w.hold("acme", onValue(mine))
	w.refuse(vault.ErrConflict, "acme", plan)
	w.refuse(vault.ErrConflict, "acme", p.Sweep(mine))
	if got := w.read(p, mine.Mapping.TokenID, other.Mapping.TokenID); len(got) != 2 {
		w.Fatalf("a refused sweep left %d of 2", len(got))
	}
	// Planned again, it takes the other alone, and the key stays.
	if m, k, s := w.sweepUntilDone("acme", 10); m != 1 || k != 0 || s != 0 {
		w.Errorf("beside what is held %d mappings, %d keys, %d scopes were destroyed", m, k, s)
	}
	w.clock.Advance(life) // the scope ends, and is kept for what it has
	if m, k, s := w.sweepUntilDone("acme", 10); m+k+s != 0 {
		w.Errorf("after the end of the scope %d mappings, %d keys, %d scopes were destroyed", m, k, s)
	}
	w.release("acme", id)
	if m, k, s := w.sweepUntilDone("acme", 10); m != 1 || k != 1 || s != 1 {
		w.Errorf("after the release %d mappings, %d keys, %d scopes were destroyed", m, k, s)
	}
	w.CheckLog("acme")
}

func holdAndSweep(w *world) {
	p := w.place("acme")
	for i, order := range []string{"hold first", "sweep first", "hold, release, then sweep"} {
		m := p.Value(fmt.Sprint("value ", i))
		w.keep(p, m)
		w.clock.Advance(ttl)
		place, sweep := Change(w, "acme", vault.PlaceHold{Hold: vault.Hold{Matter: "M", Reference: "R", Match: onValue(m)}}), Change(w, "acme", p.Sweep(m))
		release := Change(w, "acme", vault.ReleaseHold{ID: place.ID()})
		changes := [][]vault.Change{{place, sweep}, {sweep, place}, {place, release, sweep}}[i]
		answers := w.window("acme", changes...)
		for n, a := range answers {
			if want := i == 0 && n == 1; want {
				w.is(a.err, vault.ErrConflict)
			} else {
				w.no(a.err)
			}
			if n > 0 && a.err == nil && a.Tree == answers[n-1].Tree {
				w.Errorf("%s: they shared a commit", order)
			}
		}
		if got := w.read(p, m.Mapping.TokenID); (len(got) == 1) != (i == 0) {
			w.Errorf("%s: %d mappings are left", order, len(got))
		}
	}
	w.CheckLog("acme")
}

func heldUntilReleased(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	w.clock.Advance(ttl)
	id := []string{m.Mapping.TokenID}
	first, second := w.hold("acme", onValue(m)), w.hold("acme", vault.HoldMatch{Scopes: []vault.Digest{p.Scope.Digest}})
	w.kept(p, "two holds", id, m)
	w.release("acme", first)
	w.kept(p, "one of them", id, m)
	w.refuse(vault.ErrConflict, "acme", p.Sweep(m))
	w.release("acme", second)
	w.kept(p, "none of them", nil, m)
	w.commit("acme", p.Sweep(m))
	// One that comes too late keeps nothing, and is none the worse for it.
	late := w.hold("acme", onValue(m))
	w.release("acme", late)
}

func heldKey(w *world) {
	p := w.place("acme")
	mine, neighbour := p.Value("mine"), p.Value("neighbour")
	w.keep(p, mine, neighbour)
	free := p
	free.Key = p.FreshKey()
	other := free.Value("other")
	effect := free.Tokenize(other)
	effect.Keys = []vault.DataKey{free.Key}
	w.commit("acme", effect)
	id := w.hold("acme", onValue(mine))
	both := vault.DestroyKeys{Keys: []string{free.Key.ID, p.Key.ID}}
	untouched := func(when string) {
		w.Helper()
		w.refuse(vault.ErrHeld, "acme", both)
		w.refuse(vault.ErrHeld, "acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
		keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{IDs: both.Keys})
		w.no(err)
		if got := w.read(p, mine.Mapping.TokenID, neighbour.Mapping.TokenID, other.Mapping.TokenID); len(keys) != 2 || len(got) != 3 {
			w.Errorf("%s: %d of 2 keys and %d of 3 mappings are left", when, len(keys), len(got))
		}
	}
	untouched("while it lives")
	w.clock.Advance(ttl)
	untouched("after its time")
	w.commit("acme", p.Sweep(neighbour))
	replacement := free.Value("mine")
	w.keep(free, replacement) // retires the first
	w.refuse(vault.ErrHeld, "acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
	w.refuse(vault.ErrHeld, "acme", vault.DestroyKeys{Keys: []string{free.Key.ID}})
	w.release("acme", id)
	w.commit("acme", both)
	if got := w.read(p, mine.Mapping.TokenID, replacement.Mapping.TokenID, other.Mapping.TokenID); len(got) != 0 {
		w.Errorf("after the release %d mappings are left", len(got))
	}
}

func heldRestored(w *world) {
	p := w.place("acme")
	m, lives := p.Value("v"), p.Value("lives")
	lives.TTL = maxAge
	w.keep(p, m, lives)
	id := w.hold("acme", vault.HoldMatch{Scopes: []vault.Digest{p.Scope.Digest}})
	w.commit("acme", p.Restore(m, lives)) // a hold keeps nobody from what lives
	w.clock.Advance(ttl)
	w.refuse(vault.ErrConflict, "acme", p.Restore(m))
	w.refuse(vault.ErrConflict, "acme", p.Restore(lives, m))
	reaches := p.Restore(m, lives)
	reaches.Refs[0].Restricted = true
	w.refuse(vault.ErrConflict, "acme", reaches)
	reaches.Refs[0].Restricted, reaches.Refs[0].Expired = false, true
	w.commit("acme", reaches)
	for _, spoil := range []func(*vault.RestoreRef){
		func(r *vault.RestoreRef) { r.KeyID = vault.NewID() },
		func(r *vault.RestoreRef) { r.Entity = "EMAIL_ADDRESS" },
		func(r *vault.RestoreRef) { r.ScopeID = vault.NewID() },
	} {
		wrong := p.Restore(m)
		wrong.Refs[0].Expired = true
		spoil(&wrong.Refs[0])
		w.refuse(vault.ErrConflict, "acme", wrong)
	}
	w.release("acme", id)
	w.refuse(vault.ErrConflict, "acme", reaches)
	w.commit("acme", p.Restore(lives))
}

func heldRetired(w *world) {
	p := w.place("acme")
	old := p.Value("v")
	w.commit("acme", p.from("doc", old))
	w.clock.Advance(ttl)
	id := w.hold("acme", onValue(old))
	fresh := p.Value("v")
	if s := w.keep(p, fresh)[0]; s.Reused {
		w.Error("a value past its time was revived by a hold")
	}
	got := w.read(p, old.Mapping.TokenID, fresh.Mapping.TokenID)
	if m := got[old.Mapping.TokenID]; m.State != vault.MappingRetired || !m.Held || !m.Expired || !m.KeyAlive || len(m.Sealed) == 0 {
		w.Errorf("the one that was replaced: %+v", m)
	}
	if m := got[fresh.Mapping.TokenID]; m.State != vault.MappingLive || m.Held || m.Expired {
		w.Errorf("the one that replaced it: %+v", m)
	}
	if got := w.sourced(p, "doc", "", 0); len(got) != 0 {
		w.Errorf("of its source %q are read", got)
	}
	w.refuse(vault.ErrConflict, "acme", p.Restore(old))
	reaches := p.Restore(old, fresh)
	reaches.Refs[0].Expired = true
	w.commit("acme", reaches)
	w.refuse(vault.ErrConflict, "acme", p.Sweep(old))
	w.release("acme", id)
	w.refuse(vault.ErrConflict, "acme", reaches)
	if got := w.read(p, old.Mapping.TokenID, fresh.Mapping.TokenID); len(got) != 1 {
		w.Errorf("after the release %d mappings are read, want the one that stands", len(got))
	}
	w.commit("acme", p.Sweep(old))
	w.commit("acme", p.Restore(fresh))
}

func heldReopened(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	id := w.hold("acme", onValue(m))
	w.no(w.Close())
	w.Stores = w.Reopen()
	w.clock.Advance(ttl + time.Second)
	w.refuse(vault.ErrConflict, "acme", p.Sweep(m))
	w.refuse(vault.ErrHeld, "acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
	w.kept(p, "after a restart", []string{m.Mapping.TokenID}, m)
	w.release("acme", id)
	w.commit("acme", p.Sweep(m))
}
