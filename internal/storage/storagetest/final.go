package storagetest

import (
	"maps"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// endings are erasures of one tenant that differ in what became of their keys,
// and in when.
type endings struct {
	*world
	Place
	all   map[string]vault.Erasure
	holds map[string]string // of those that are deferred
}

// at4 seals what stays under keys of version 4.
func at4(effect vault.Erase) vault.Erase {
	for i := range effect.Fresh {
		effect.Fresh[i].Wrapped = wrappedAt(4)
	}
	return effect
}

func (e *endings) erase(name string, effect vault.Erase) {
	e.Helper()
	change := Change(e, "acme", at4(effect))
	_, err := e.Store.Commit(e.ctx, "acme", change)
	e.no(err)
	e.all[name] = e.erasure("acme", change.ID())
}

func (w *world) endings() *endings {
	w.Helper()
	p := w.place("acme")
	e := &endings{world: w, Place: p, all: make(map[string]vault.Erasure), holds: make(map[string]string)}
	for name, versions := range map[string][]int{"old": {3, 3}, "new": {4}, "both": {3, 4}} {
		_, erases := w.someone(p, name, versions...)
		e.erase(name, erases())
	}
	nobody := erasureOf(person("nobody"))
	nobody.SubjectRef = ""
	e.erase("nobody", vault.Erase{Erasure: nobody}) // none of its keys is left, since there were none
	ann, erases := w.someone(p, "deferred", 3, 3)
	e.holds["deferred"] = w.hold("acme", onValue(p.Value("deferred "+w.keyIDs("acme", ann.Ref)[0])))
	e.erase("deferred", erases())
	// What is deferred of this one is about somebody else, too, and under a key
	// of the scope: in the end it destroys no other key.
	bob, erases := w.someone(p, "late", 3)
	both, other := p.Value("of two"), person("other")
	both.SubjectRefs = []string{bob.Ref, other.Ref}
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: bob}, {Subject: other, New: true}}, both))
	e.holds["late"] = w.hold("acme", onValue(both))
	e.erase("late", erases())
	return e
}

// are checks that of the erasures exactly those named are final at a time.
func (e *endings) are(what string, at time.Time, want ...string) {
	e.Helper()
	for name, of := range e.all {
		if got := e.erasure("acme", of.ID); got.FinalAt.Equal(at) != slices.Contains(want, name) {
			e.Errorf("%s: %s is final at %v; at %v are %q", what, name, got.FinalAt, at, want)
		}
	}
}

// finality says that versions are destroyed, and returns from when on that is
// final by it.
func (e *endings) finality(below int, backups time.Duration, want int) time.Time {
	e.Helper()
	e.clock.Advance(time.Hour)
	c := e.commit("acme", vault.Finality{Below: below, Backups: backups})
	entry, err := audit.ParseLeaf(e.leaf("acme", c.First))
	e.no(err)
	if c.Outcome.Final != want || entry.Counts["erasures"] != want || entry.Counts[vault.CountRetiredBelow] != below {
		e.Errorf("%d are final below %d, want %d; the entry says %v", c.Outcome.Final, below, want, entry.Counts)
	}
	return c.At.Add(backups)
}

func final(w *world) {
	e := w.endings()
	for _, name := range []string{"deferred", "late"} {
		if e.all[name].State != vault.ErasureDeferred {
			w.Fatalf("%s: %+v", name, e.all[name])
		}
	}
	e.are("at first", time.Time{}, slices.Collect(maps.Keys(e.all))...)
	w.retire("acme", 4)
	e.are("retired", time.Time{}, slices.Collect(maps.Keys(e.all))...)
	first := e.finality(4, month, 2)
	e.are("below 4", first, "old", "nobody")
	e.finality(4, time.Hour, 0)
	e.are("said again", first, "old", "nobody")
	for name, hold := range e.holds {
		w.release("acme", hold)
		w.commit("acme", at4(erasing(e.all[name], w.plan("acme", e.all[name]))))
	}
	second := e.finality(4, 0, 1)
	e.are("once what was deferred is done", second, "late")
	w.retire("acme", 5)
	third := e.finality(5, month, 3)
	e.are("below 5", third, "new", "both", "deferred")
	e.are("below 5, from before", first, "old", "nobody")
	e.are("below 5, from in between", second, "late")
	w.CheckLog("acme")
}
