package storagetest

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var noteClauses = []clause{
	{"requests/notes come back as they were written, the oldest first", noteOrder},
	{"requests/a note is of a request that is not closed, under a key of it", noteRefused},
	{"requests/the key of notes is not idle while they stand", noteKeyStands},
	{"Invariant8/notes go with their request, and their key with them", notesSwept},
}

// noteOf is a note under a fresh key of its request.
func noteOf(r vault.SubjectRequest, text string) (vault.NoteRequest, vault.DataKey) {
	key := vault.DataKey{ID: vault.NewID(), SubjectRef: r.ID, Wrapped: wrapped("notes")}
	return vault.NoteRequest{Key: &key, Note: vault.RequestNote{
		RequestID: r.ID, Author: "officer-1", KeyID: key.ID, Sealed: []byte("sealed " + text),
	}}, key
}

// note writes the first note of a request and returns its key.
func (w *world) note(tenant string, r vault.SubjectRequest, text string) vault.DataKey {
	w.Helper()
	effect, key := noteOf(r, text)
	w.commit(tenant, effect)
	return key
}

func (w *world) notes(tenant, requestID string) []vault.RequestNote {
	w.Helper()
	got, err := w.Requests.RequestNotes(w.ctx, tenant, requestID)
	w.no(err)
	return got
}

// stands tells which of the keys do.
func (w *world) stands(tenant string, ids ...string) (standing int) {
	w.Helper()
	keys, err := w.Store.Keys(w.ctx, tenant, vault.KeyQuery{IDs: ids})
	w.no(err)
	return len(keys)
}

func noteOrder(w *world) {
	w.tenant("acme")
	r := w.open("acme", w.request(vault.RequestAccess, person("ann")))
	other := w.open("acme", w.request(vault.RequestAccess, person("bob")))
	if got := w.notes("acme", r.ID); len(got) != 0 {
		w.Errorf("of a request without notes: %+v", got)
	}
	w.note("acme", other, "of another request")
	effect, key := noteOf(r, "")
	var want []vault.RequestNote
	for i := range 5 {
		w.clock.Advance(time.Second)
		effect.Note.Sealed = append([]byte{0, 0xff}, fmt.Sprint("note ", i)...)
		effect.Note.Author = alike[i]
		given := effect
		given.Note.ID, given.Note.At = "of the caller", start // neither of which counts
		change := Change(w, "acme", given)
		_, err := w.Store.Commit(w.ctx, "acme", change)
		w.no(err)
		note := effect.Note
		note.ID, note.At = change.ID(), w.now()
		want = append(want, note)
		effect.Key = nil
	}
	if diff := cmp.Diff(want, w.notes("acme", r.ID)); diff != "" {
		w.Error(diff)
	}
	w.sameRequest("the request", r, w.requested("acme", r.ID))
	keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{SubjectRef: r.ID})
	w.no(err)
	if len(keys) != 1 || keys[0].ID != key.ID || string(keys[0].Wrapped.Bytes) != string(key.Wrapped.Bytes) {
		w.Errorf("the keys of the request: %+v", keys)
	}
	w.CheckLog("acme")
}

func noteRefused(w *world) {
	p := w.place("acme")
	r := w.open("acme", w.request(vault.RequestAccess, person("ann")))
	another := w.open("acme", w.request(vault.RequestAccess, person("bob")))
	key := w.note("acme", another, "of another")
	refused := func(name string, spoil func(*vault.NoteRequest)) {
		w.Helper()
		effect, _ := noteOf(r, "v")
		spoil(&effect)
		before := w.size("acme")
		if _, err := w.try("acme", effect); err == nil || w.size("acme") != before {
			w.Errorf("a note %s: %v", name, err)
		}
		if got := w.notes("acme", r.ID); len(got) != 0 {
			w.Fatalf("a note %s is there", name)
		}
	}
	refused("under a key that is not there", func(n *vault.NoteRequest) { n.Key = nil })
	refused("under a key of a scope", func(n *vault.NoteRequest) { n.Key, n.Note.KeyID = nil, p.Key.ID })
	refused("under the key of another request", func(n *vault.NoteRequest) { n.Key, n.Note.KeyID = nil, key.ID })
	refused("with a key of somebody else", func(n *vault.NoteRequest) { n.Key.SubjectRef = another.ID })
	refused("with a key of a scope", func(n *vault.NoteRequest) { n.Key.SubjectRef, n.Key.ScopeID = "", p.Scope.ID })
	refused("with a key that does not seal it", func(n *vault.NoteRequest) { n.Note.KeyID = key.ID })
	refused("of nothing", func(n *vault.NoteRequest) { n.Note.Sealed = nil })
	refused("of nobody", func(n *vault.NoteRequest) { n.Note.Author = "" })
	refused("of somebody with a NUL", func(n *vault.NoteRequest) { n.Note.Author = "a\x00" })
	w.commit("acme", vault.RaiseWrapMinimum{Version: 4})
	effect, _ := noteOf(r, "under an old version")
	w.refuse(vault.ErrWrapVersion, "acme", effect)
	effect.Key.Wrapped = wrappedAt(4)
	w.commit("acme", effect)
	missing, _ := noteOf(vault.SubjectRequest{ID: "none"}, "of none")
	missing.Key.Wrapped = wrappedAt(4)
	w.refuse(vault.ErrConflict, "acme", missing)
	r.State = vault.StateWithdrawn
	w.update("acme", r)
	effect.Key = nil
	w.refuse(vault.ErrConflict, "acme", effect)
	if got := w.notes("acme", r.ID); len(got) != 1 {
		w.Errorf("a closed request has %d notes, want the one from before", len(got))
	}
	if w.stands("acme", missing.Note.KeyID) != 0 {
		w.Error("the key of a note that was refused stands")
	}
}

func noteKeyStands(w *world) {
	w.tenant("acme")
	r := w.open("acme", w.request(vault.RequestAccess, person("ann")))
	key := w.note("acme", r, "v")
	idle := func(when string) {
		w.Helper()
		w.clock.Advance(life)
		if m, k, s := w.sweepUntilDone("acme", 10); m+k+s != 0 {
			w.Errorf("%s %d mappings, %d keys, %d scopes were swept", when, m, k, s)
		}
		w.refuse(vault.ErrConflict, "acme", vault.Sweep{Keys: []string{key.ID}})
		if w.stands("acme", key.ID) != 1 || len(w.notes("acme", r.ID)) != 1 {
			w.Errorf("%s a note or its key is gone", when)
		}
	}
	idle("while it is open")
	r.State = vault.StateCompleted
	w.update("acme", r)
	idle("once it is closed")
	// It is wrapped anew like any other.
	w.commit("acme", vault.Rewrap{Keys: []vault.RewrappedKey{{ID: key.ID, From: 3, Wrapped: wrappedAt(4)}}})
}

func notesSwept(w *world) {
	w.tenant("acme")
	r, plain := w.open("acme", w.request(vault.RequestAccess, person("ann"))), w.open("acme", w.request(vault.RequestAccess, person("bob")))
	key := w.note("acme", r, "first")
	second, _ := noteOf(r, "second")
	second.Key, second.Note.KeyID = nil, key.ID
	w.commit("acme", second)
	r.State, plain.State = vault.StateCompleted, vault.StateRefused
	plain.RefusalCode = "manifestly_unfounded"
	w.update("acme", r)
	w.commit("acme", vault.Sweep{Requests: []string{r.ID}})
	if len(w.notes("acme", r.ID)) != 0 || len(w.requests("acme", vault.RequestQuery{ID: r.ID})) != 0 || w.stands("acme", key.ID) != 0 {
		w.Error("something is left of a request that was swept")
	}
	w.refuse(vault.ErrConflict, "acme", vault.Sweep{Requests: []string{r.ID}})
	w.refuse(vault.ErrConflict, "acme", second)
	w.update("acme", plain)
	w.commit("acme", vault.Sweep{Requests: []string{plain.ID}})
	if got := w.requests("acme", vault.RequestQuery{}); len(got) != 0 {
		w.Errorf("%d requests are left", len(got))
	}
	w.CheckLog("acme")
}
