package storagetest

import (
	"context"
	"errors"
	"sync"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var batchClauses = []clause{
	{"batch/changes that wait share a commit", shareCommit},
	{"batch/what destroys commits alone, in its turn", destroyAlone},
	{"Invariant2/one that fails fails alone and leaves nothing", failAlone},
	{"batch/the context bounds the waiting and never the commit", contextBounds},
	{"batch/tenants do not wait for one another's changes", tenantsApart},
}

func shareCommit(w *world) {
	p := w.place("acme")
	const n = 40
	changes := make([]vault.Change, n)
	for i := range changes {
		changes[i] = Change(w, "acme", p.Tokenize(p.Value("the same")))
	}
	first := w.size("acme")
	answers := w.window("acme", changes...)
	trees := make(map[*vault.Tree]int)
	for i, a := range answers {
		w.no(a.err)
		trees[a.Tree]++
		if a.First != first+int64(i) || a.Count != 1 {
			w.Errorf("change %d stands at %d, %d entries; want %d", i, a.First, a.Count, first+int64(i))
		}
		if s := a.Outcome.Standing[0]; s.TokenID != answers[0].Outcome.Standing[0].TokenID || s.Reused != (i > 0) {
			w.Errorf("change %d: %+v", i, s)
		}
	}
	if len(trees) != 1 {
		w.Errorf("%d changes that waited took %d commits", n, len(trees))
	}
	w.CheckLog("acme")
}

func destroyAlone(w *world) {
	p := w.place("acme")
	a, b := p.Value("a"), p.Value("b")
	other := p
	other.Key = p.FreshKey()
	b.Mapping.KeyID = other.Key.ID
	effect := p.Tokenize(a, b)
	effect.Keys = []vault.DataKey{other.Key}
	w.commit("acme", effect)
	answers := w.window("acme",
		Change(w, "acme", p.Restore(a)), Change(w, "acme", p.Restore(b)),
		Change(w, "acme", vault.DestroyKeys{Keys: []string{p.Key.ID}}),
		Change(w, "acme", p.Restore(b)), Change(w, "acme", p.Restore(a)))
	for i, want := range []error{nil, nil, nil, nil, vault.ErrConflict} {
		w.is(answers[i].err, want)
	}
	t := answers
	if t[0].Tree != t[1].Tree || t[1].Tree == t[2].Tree || t[2].Tree == t[3].Tree {
		w.Error("a destruction shared its commit, or parted what could share")
	}
	if t[0].First >= t[2].First || t[2].First >= t[3].First {
		w.Errorf("out of order: %d, %d, %d", t[0].First, t[2].First, t[3].First)
	}
}

func failAlone(w *world) {
	p := w.place("acme")
	taken := p.Value("taken")
	w.keep(p, taken)
	// It makes a subject, a key and a mapping, and retires one, before it fails.
	w.clock.Advance(ttl)
	ann := person("ann")
	half, late := p.Value("half"), p.Value("late")
	fresh := p.FreshKey()
	half.Mapping.KeyID, half.SubjectRefs = fresh.ID, []string{ann.Ref}
	late.Mapping.TokenID = taken.Mapping.TokenID
	bad := about(p, []vault.SubjectUse{{Subject: ann, New: true}}, half, p.Value("taken"), late)
	bad.Keys = []vault.DataKey{fresh}
	good := []vault.NewMapping{p.Value("x"), p.Value("y")}
	before := w.size("acme")
	answers := w.window("acme",
		Change(w, "acme", p.Tokenize(good[0])), Change(w, "acme", bad), Change(w, "acme", p.Restore(taken)),
		Change(w, "acme", p.Tokenize(good[1])))
	for i, want := range []error{nil, vault.ErrIDTaken, vault.ErrConflict, nil} {
		if i == 1 || i == 2 {
			if !errors.Is(answers[i].err, want) {
				w.Errorf("change %d: got %v, want %v", i, answers[i].err, want)
			}
			continue
		}
		w.no(answers[i].err)
	}
	if answers[0].Tree != answers[3].Tree || w.size("acme") != before+2 {
		w.Error("a failing change kept others from their commit")
	}
	w.commit("acme", p.Restore(good...))
	w.CheckLog("acme")
	if got := w.read(p, half.Mapping.TokenID); len(got) != 0 {
		w.Error("a change that failed left a mapping")
	}
	if got := w.read(p, taken.Mapping.TokenID); len(got) != 1 {
		w.Error("a change that failed retired a mapping")
	}
	subjects, err := w.Store.Subjects(w.ctx, "acme", []vault.Digest{ann.Digest})
	w.no(err)
	keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{IDs: []string{fresh.ID}})
	w.no(err)
	if len(subjects)+len(keys) != 0 {
		w.Errorf("a change that failed left %d subjects and %d keys", len(subjects), len(keys))
	}
}

func contextBounds(w *world) {
	w.tenant("acme")
	before := w.size("acme")
	gone, cancel := context.WithCancel(w.ctx)
	cancel()
	_, err := w.Store.Commit(gone, "acme", Change(w, "acme", vault.Record{}))
	w.is(err, context.Canceled)
	release := w.Hold()
	waiting, cancel := context.WithCancel(w.ctx)
	var group sync.WaitGroup
	group.Go(func() {
		_, err := w.Store.Commit(waiting, "acme", Change(w, "acme", vault.Record{}))
		w.is(err, context.Canceled)
	})
	w.awaitWaiting("acme", 1)
	cancel()
	group.Wait()
	release()
	w.commit("acme", vault.Record{})
	if got := w.size("acme"); got != before+1 {
		w.Errorf("changes whose callers went away before their turn left %d entries", got-before-1)
	}
	_, err = w.Ledger.Head(gone, "acme")
	w.is(err, context.Canceled)
}

func tenantsApart(w *world) {
	names := []string{"acme", "globex", "initech"}
	for _, name := range names {
		w.tenant(name)
	}
	var group sync.WaitGroup
	for _, name := range names {
		for range 20 {
			change := Change(w, name, vault.Record{})
			group.Go(func() {
				_, err := w.Store.Commit(w.ctx, name, change)
				w.is(err, nil)
			})
		}
	}
	group.Wait()
	for _, name := range names {
		if n := w.size(name); n != 21 {
			w.Errorf("the log of %s has %d entries, want 21", name, n)
		}
		w.CheckLog(name)
	}
}
