package storagetest

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// What was lost and its older copy are two tenants with the same data under the
// same ids: an erasure of the one is done again in the other.
var replayClauses = []clause{
	{"Invariant8/an erasure is done again in an older copy of the data", replayed},
	{"Invariant8/done again twice it is the same", replayedTwice},
	{"Invariant8/what the copy never had is buried there, too", replayedUnknown},
	{"replay/what has to stay is sealed anew, as it was read", replayRefused},
	{"replay/of an erasure that was deferred leaves the person, until it is completed", replayedDeferred},
	{"Invariant8/what was kept out is kept out of the copy", replayedSuppression},
	{"replay/a copy has its own finality", replayedFinality},
}

// lost is an estate, the copy of it, and an erasure of ann in the first.
func (w *world) lost() (lost, older *estate) {
	w.Helper()
	lost = w.estate("acme")
	older = lost.copied("copy")
	w.clock.Advance(time.Second)
	return lost, older
}

// again is the effect that does an erasure again in a copy: what the buried keys
// seal stays where it is not among the tokens that went.
func (e *estate) again(of vault.Erasure, buried []vault.Tombstone) vault.Replay {
	e.Helper()
	var plan vault.ErasurePlan
	for _, t := range buried {
		under := e.sealed(e.tenant, t.KeyID)
		for _, m := range under.Mappings {
			if !t.Rekeyed || slices.Contains(t.Tokens, vault.MappingRef{ScopeID: m.ScopeID, TokenID: m.TokenID}) {
				continue
			}
			if of.State == vault.ErasureCompleted || len(m.SubjectRefs) > 1 {
				m.SubjectRefs = slices.DeleteFunc(m.SubjectRefs, func(r string) bool { return r == of.SubjectRef })
			}
			plan.Survivors = append(plan.Survivors, m)
		}
		plan.Names = append(plan.Names, under.Names...)
	}
	sealed := erasing(of, plan)
	return vault.Replay{Erasure: of, Buried: buried, Fresh: sealed.Fresh, Reseal: sealed.Reseal, Names: sealed.Names}
}

// replay commits a replay with an entry that says of what.
func (e *estate) replay(effect vault.Replay) vault.Committed {
	e.Helper()
	c, err := e.Store.Commit(e.ctx, e.tenant, changeWith(e, e.tenant, effect, audit.Entry{
		Kind: audit.KindReplay, Actor: "officer-1", Decision: audit.Allow, ReplayOf: effect.Erasure.ID,
	}))
	e.no(err)
	return c
}

// gone checks that all of ann is, and that all else is there.
func (e *estate) gone(what string) {
	e.Helper()
	for _, m := range []struct {
		in   Place
		m    vault.NewMapping
		want bool
	}{
		{e.p, e.hers, false}, {e.q, e.there, false}, {e.p, e.tied, false},
		{e.p, e.both, true}, {e.p, e.near, true}, {e.q, e.far, true}, {e.q, e.his, true},
	} {
		e.restores(m.in, m.m, m.want)
	}
	e.people(what, e.p, e.both, vault.MappingLive, e.bob)
	e.people(what, e.p, e.near, vault.MappingLive)
	e.knows(e.ann, false)
	e.knows(e.bob, true)
	if e.stands(e.tenant, e.own.ID, e.p.Key.ID) != 0 || e.stands(e.tenant, e.q.Key.ID, e.bobs.ID) != 2 {
		e.Errorf("%s: keys stand that were buried, or others do not", what)
	}
}

// buriedAs compares tombstones of a copy with those of what was lost, but for
// when they were made and swept.
func (e *estate) buriedAs(what string, want []vault.Tombstone) {
	e.Helper()
	apart := cmpopts.IgnoreFields(vault.Tombstone{}, "At", "Swept", "Tokens")
	byKey := cmpopts.SortSlices(func(a, b vault.Tombstone) bool { return a.KeyID < b.KeyID })
	if diff := cmp.Diff(want, e.tombstones(e.tenant, vault.TombstoneQuery{}), apart, byKey); diff != "" {
		e.Errorf("%s: %s", what, diff)
	}
}

func replayed(w *world) {
	lost, older := w.lost()
	w.commit("acme", lost.p.to("vendor", lost.p.Value("hers"))) // which the copy does not know
	done, _ := w.erase("acme", erasureOf(lost.ann))
	buried := w.tombstones("acme", vault.TombstoneQuery{})
	w.clock.Advance(time.Hour / 2)
	effect := older.again(done, buried)
	c := older.replay(effect)
	older.gone("the copy")
	for _, m := range []vault.Mapping{w.in(older.p, older.near), w.in(older.p, older.both)} {
		if string(m.Sealed) != "again sealed near" && string(m.Sealed) != "again sealed both" {
			w.Errorf("what stays is sealed %q", m.Sealed)
		}
	}
	scope, err := w.Store.Scope(w.ctx, "copy", older.p.Scope.Digest)
	w.no(err)
	if string(scope.SealedName) != "again sealed p" || w.stands("copy", scope.NameKeyID) != 1 {
		w.Errorf("the name of the scope: %q", scope.SealedName)
	}
	if diff := cmp.Diff(done, w.erasure("copy", done.ID)); diff != "" {
		w.Errorf("the erasure is not as it stood: %s", diff)
	}
	older.buriedAs("the copy", buried)
	entry, err := audit.ParseLeaf(w.leaf("copy", c.First))
	w.no(err)
	if entry.Kind != audit.KindReplay || entry.ReplayOf != done.ID {
		w.Errorf("the entry: %+v", entry)
	}
	w.no(w.Close())
	w.Stores = w.Reopen()
	older.gone("the copy, after a restart")
	if m, _, _ := w.sweepUntilDone("copy", 10); m != 3 {
		w.Errorf("%d mappings of the copy were swept, want 3", m)
	}
	for _, t := range w.tombstones("copy", vault.TombstoneQuery{}) {
		if !t.Swept {
			w.Errorf("after the sweep: %+v", t)
		}
	}
	w.CheckLog("copy")
	if got := w.inventory("acme").Mappings; len(got) != 1 || got[0].Live != 4 || got[0].Erased != 3 {
		w.Errorf("what was lost has %+v", got)
	}
}

func replayedTwice(w *world) {
	lost, older := w.lost()
	done, _ := w.erase("acme", erasureOf(lost.ann))
	buried := w.tombstones("acme", vault.TombstoneQuery{})
	older.replay(older.again(done, buried))
	older.replay(older.again(done, buried)) // nothing of it stands any more
	older.gone("twice")
	w.sweepUntilDone("copy", 10)
	older.replay(vault.Replay{Erasure: done, Buried: buried})
	if diff := cmp.Diff(done, w.erasure("copy", done.ID)); diff != "" {
		w.Error(diff)
	}
	older.buriedAs("three times", buried)
	// What was swept where it was lost stands in a copy of before.
	w.sweepUntilDone("acme", 10)
	third := lost.copied("third")
	for i, t := range w.tombstones("acme", vault.TombstoneQuery{}) {
		if !t.Swept {
			w.Errorf("after the sweep: %+v", t)
		}
		buried[i].Swept = true
	}
	third.replay(third.again(done, buried))
	third.gone("a copy of before the sweep")
	if m, _, _ := w.sweepUntilDone("third", 10); m != 3 {
		w.Errorf("%d mappings were swept, want 3", m)
	}
	// And it takes the place of what the copy had under the id.
	waits := done
	waits.State, waits.Subject, waits.CompletedAt, waits.Counts.Deferred = vault.ErasureDeferred, lost.ann.Digest, time.Time{}, 1
	done.Counts.Erased, done.SuppressUntil, done.FinalAt = 7, w.now().Add(month), w.now()
	for _, of := range []vault.Erasure{waits, done} {
		third.replay(vault.Replay{Erasure: of, Buried: buried})
		if diff := cmp.Diff(of, w.erasure("third", of.ID)); diff != "" {
			w.Error(diff)
		}
	}
	w.CheckLog("third")
}

func replayedUnknown(w *world) {
	lost, older := w.lost()
	eve, erases := w.someone(lost.q, "eve", 3, 4)
	ids := w.keyIDs("acme", eve.Ref)
	change := Change(w, "acme", erases())
	_, err := w.Store.Commit(w.ctx, "acme", change)
	w.no(err)
	buried := w.tombstones("acme", vault.TombstoneQuery{})
	older.replay(older.again(w.erasure("acme", change.ID()), buried))
	older.buriedAs("never had", buried)
	for _, id := range ids {
		fresh := func() vault.DataKey { return vault.DataKey{ID: id, Wrapped: wrapped("key")} }
		for _, effect := range w.inserts(older, w.open("copy", w.request(vault.RequestAccess, older.ann)), fresh) {
			w.refuse(vault.ErrKeyDestroyed, "copy", effect)
		}
	}
	// Nor does another replay bring one of them.
	w.erase("acme", erasureOf(lost.ann))
	all := w.tombstones("acme", vault.TombstoneQuery{})
	all = slices.DeleteFunc(all, func(t vault.Tombstone) bool { return slices.Contains(ids, t.KeyID) })
	effect := older.again(w.erasure("acme", all[0].ErasureID), all)
	if len(effect.Fresh) == 0 {
		w.Fatal("nothing is sealed anew")
	}
	for i := range effect.Reseal {
		if effect.Reseal[i].To == effect.Fresh[0].ID {
			effect.Reseal[i].To = ids[0]
		}
	}
	for i := range effect.Names {
		if effect.Names[i].To == effect.Fresh[0].ID {
			effect.Names[i].To = ids[0]
		}
	}
	effect.Fresh[0].ID = ids[0]
	older.unchanged("a replay under a key that was buried", vault.ErrKeyDestroyed, effect)
	// Of nobody there is nothing to bury, and the row says that it was asked for.
	nobody := erasureOf(person("nobody"))
	nobody.SubjectRef = ""
	done, _ := w.erase("acme", nobody)
	older.replay(vault.Replay{Erasure: done})
	if diff := cmp.Diff(done, w.erasure("copy", done.ID)); diff != "" {
		w.Error(diff)
	}
	w.restores(older.p, older.hers, true)
	w.CheckLog("copy")
}

func replayRefused(w *world) {
	lost, older := w.lost()
	done, _ := w.erase("acme", erasureOf(lost.ann))
	buried := w.tombstones("acme", vault.TombstoneQuery{})
	for name, spoil := range map[string]func(*vault.Replay){
		"what is not there":         func(r *vault.Replay) { r.Reseal[0].TokenID = "none" },
		"what is under another key": func(r *vault.Replay) { r.Reseal[0].From = older.own.ID },
		"what is under no such key": func(r *vault.Replay) {
			r.Reseal[0].ScopeID, r.Reseal[0].TokenID = older.q.Scope.ID, older.far.Mapping.TokenID
		},
		"something twice":            func(r *vault.Replay) { r.Reseal = append(r.Reseal, r.Reseal[0]) },
		"under a key that is buried": func(r *vault.Replay) { r.Reseal[0].To = older.own.ID },
		"under a key that stands":    func(r *vault.Replay) { r.Reseal[0].To = older.q.Key.ID },
		"nothing sealed":             func(r *vault.Replay) { r.Reseal[0].Sealed = nil },
		"a name of another scope":    func(r *vault.Replay) { r.Names[0].ScopeID = older.q.Scope.ID },
		"a fresh key that is buried": func(r *vault.Replay) { r.Fresh[0].ID = older.own.ID },
		"an erasure without an id":   func(r *vault.Replay) { r.Erasure.ID = "" },
	} {
		effect := older.again(done, buried)
		spoil(&effect)
		older.unchanged(name, nil, effect)
	}
	older.replay(older.again(done, buried))
	older.gone("after what was refused")
}

func replayedDeferred(w *world) {
	lost, older := w.lost()
	hold := w.hold("acme", onValue(lost.hers))
	waits, _ := w.erase("acme", erasureOf(lost.ann))
	older.replay(older.again(waits, w.tombstones("acme", vault.TombstoneQuery{})))
	if diff := cmp.Diff(waits, w.erasure("copy", waits.ID)); diff != "" {
		w.Error(diff)
	}
	older.knows(older.ann, true)
	w.restores(older.p, older.hers, true)
	w.restores(older.q, older.there, false)
	w.restores(older.p, older.tied, false)
	w.release("acme", hold)
	w.clock.Advance(time.Second)
	done, _ := w.erase("acme", waits)
	// It is completed in a copy that has something of the person yet: what is
	// sealed under none of the keys that were buried is not reached by them.
	plan := w.plan("copy", waits)
	if len(plan.Parts) != 1 || plan.Parts[0].Erased != 1 {
		w.Errorf("of the copy there is left to erase: %+v", plan.Parts)
	}
	w.commit("copy", erasing(waits, plan)) // nothing holds it in the copy
	older.replay(older.again(done, w.tombstones("acme", vault.TombstoneQuery{})))
	if diff := cmp.Diff(done, w.erasure("copy", waits.ID)); diff != "" {
		w.Error(diff)
	}
	older.gone("completed")
	w.CheckLog("copy")
}

func replayedSuppression(w *world) {
	lost, older := w.lost()
	effect := erasing(erasureOf(lost.ann), w.plan("acme", erasureOf(lost.ann)))
	effect.Suppress.For = month
	change := Change(w, "acme", effect)
	c, err := w.Store.Commit(w.ctx, "acme", change)
	w.no(err)
	older.replay(older.again(w.erasure("acme", change.ID()), w.tombstones("acme", vault.TombstoneQuery{})))
	values := []vault.NewMapping{older.hers, older.there, older.tied}
	stay := []vault.NewMapping{older.both, older.near, older.far}
	w.keptOut("before the sweep", older.q, values, stay)
	w.sweepUntilDone("copy", 10)
	w.keptOut("after the sweep", older.q, values, stay)
	w.clock.Advance(c.At.Add(month).Sub(w.now()) - time.Microsecond)
	w.keptOut("just before its end", older.q, values, stay)
	w.clock.Advance(time.Microsecond)
	w.keptOut("at its end", older.q, nil, append(values, stay...))
}

func replayedFinality(w *world) {
	lost, older := w.lost()
	w.commit("acme", vault.Rewrap{Keys: []vault.RewrappedKey{{ID: lost.own.ID, From: 3, Wrapped: wrappedAt(4)}}})
	done, _ := w.erase("acme", erasureOf(lost.ann))
	older.replay(older.again(done, w.tombstones("acme", vault.TombstoneQuery{})))
	// In the copy the key was wrapped by 3; in what was lost, and in backups of
	// it, by 4.
	w.retire("copy", 4)
	if c := w.commit("copy", vault.Finality{Below: 4}); c.Outcome.Final != 0 {
		w.Errorf("%d are final below 4", c.Outcome.Final)
	}
	w.retire("copy", 5)
	if c := w.commit("copy", vault.Finality{Below: 5}); c.Outcome.Final != 1 || !w.erasure("copy", done.ID).FinalAt.Equal(c.At) {
		w.Errorf("%d are final below 5", c.Outcome.Final)
	}
	// What was final already stays so.
	third := lost.copied("third")
	done.FinalAt = w.now().Add(-time.Hour)
	third.replay(vault.Replay{Erasure: done, Buried: nil})
	if got := w.erasure("third", done.ID); !got.FinalAt.Equal(done.FinalAt) {
		w.Errorf("final at %v, want %v", got.FinalAt, done.FinalAt)
	}
}
