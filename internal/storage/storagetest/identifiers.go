package storagetest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var identifierClauses = []clause{
	{"identifiers/scopes are compared byte for byte", exactScopes},
	{"identifiers/tokens are compared byte for byte", exactTokens},
	{"identifiers/NUL and broken UTF-8 are refused or kept exactly", hostileIdentifiers},
	{"identifiers/empty and absent come back as they were", emptyAndAbsent},
	{"identifiers/bytes of any kind come back as they were", anyBytes},
}

// alike are identifiers that a careless comparison takes for one another.
var alike = []string{
	"scope", "Scope", "SCOPE", "scop", "scope ", " scope", "scope\t", "scopé", "scope\u0301", "ſcope", "%", "_", "scope%",
	`"scope"`, `\scope`, `'scope'`, "[scope]", "1", "1.0", "01", "true", "null", "𝔰𝔠𝔬𝔭𝔢", "\ufffd",
}

func exactScopes(w *world) {
	w.tenant("acme")
	places := make(map[string]Place)
	values := make(map[string]vault.NewMapping)
	for _, id := range alike {
		p := NewPlace("acme", id, w.now())
		p.Scope.ID = id
		p.Key = p.FreshKey()
		p.Scope.NameKeyID = p.Key.ID
		w.commit("acme", p.Open())
		m := p.Value("v")
		m.Mapping.TokenID = "token" // the same in each
		m.Mapping.Sealed = []byte("in " + id)
		w.keep(p, m)
		places[id], values[id] = p, m
	}
	for id, p := range places {
		got := w.read(p, "token")["token"]
		if string(got.Sealed) != "in "+id || got.ScopeID != id {
			w.Errorf("scope %q reads %q", id, got.Sealed)
		}
		keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{ScopeID: id})
		w.no(err)
		if len(keys) != 1 || keys[0].ID != p.Key.ID {
			w.Errorf("scope %q has %d keys", id, len(keys))
		}
		w.commit("acme", p.Restore(values[id]))
	}
	crossed := values["scope"]
	crossed.Mapping.KeyID = places["Scope"].Key.ID
	w.refuse(vault.ErrConflict, "acme", places["scope"].Restore(crossed))
}

func exactTokens(w *world) {
	p := w.place("acme")
	ids := []string{"TOKEN", "token", "Token", "TOKE", "TOKEN.", "0TOKEN", "1", "01", "1.0", "true", "null"}
	var values []vault.NewMapping
	for _, id := range ids {
		m := p.Value("value of " + id)
		m.Mapping.TokenID = id
		values = append(values, m)
	}
	w.keep(p, values...)
	for i, id := range ids {
		got := w.read(p, id)
		if len(got) != 1 || string(got[id].Sealed) != string(values[i].Mapping.Sealed) {
			w.Errorf("token %q reads %d rows, %q", id, len(got), got[id].Sealed)
		}
		entries, err := w.Ledger.Entries(w.ctx, "acme", vault.EntryQuery{Token: id})
		w.no(err)
		if len(entries) != 1 {
			w.Errorf("token %q is found in %d entries, want 1", id, len(entries))
		}
	}
	if got := w.read(p, "tOKEN", "TOKEN%", "", "TOKEN "); len(got) != 0 {
		w.Errorf("ids that do not exist read %v", slices.Collect(maps.Keys(got)))
	}
}

func hostileIdentifiers(w *world) {
	p := w.place("acme")
	neighbours := []string{"x", "x\ufffd", "x\ufffdy"}
	for _, id := range neighbours {
		n := NewPlace("acme", "neighbour "+id, w.now())
		n.Scope.ID, n.Scope.NameKeyID, n.Scope.SealedName = id, "", nil
		w.commit("acme", vault.OpenScope{Scope: n.Scope})
	}
	for i, id := range []string{"x\x00", "x\x00y", "\x00", "x\xff", "x\xffy", "\xed\xa0\x80"} {
		q := NewPlace("acme", fmt.Sprint("hostile ", i), w.now())
		q.Scope.ID = id
		q.Key.ScopeID = id
		if _, err := w.try("acme", q.Open()); err == nil {
			got, err := w.Store.Scope(w.ctx, "acme", q.Scope.Digest)
			w.no(err)
			if got.ID != id {
				w.Errorf("scope id %q came back as %q", id, got.ID)
			}
			continue
		}
		// Refused: then it must not be taken for a neighbour either.
		if keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{ScopeID: id}); err == nil && len(keys) != 0 {
			w.Errorf("scope id %q reads %d keys", id, len(keys))
		}
		if got := w.read(q, id); len(got) != 0 {
			w.Errorf("token id %q reads %d mappings", id, len(got))
		}
		w.refuse(vault.ErrConflict, "acme", vault.Restore{Refs: []vault.RestoreRef{{ScopeID: id, TokenID: id, KeyID: id, Entity: id}}})
		w.refuse(vault.ErrConflict, "acme", vault.Sweep{Scopes: []string{id}})
		w.refuse(vault.ErrConflict, "acme", vault.DestroyKeys{Keys: []string{id}})
		w.refuse(vault.ErrConflict, "acme", vault.ReviewHold{ID: id})
		w.refuse(vault.ErrConflict, "acme", vault.ReleaseHold{ID: id})
		w.refuse(vault.ErrConflict, "acme", vault.CloseScope{ScopeID: id})
	}
	for _, tenant := range []string{"acme\x00", "acme\x00x", "acme\xff", ""} {
		if _, err := w.Ledger.Head(w.ctx, tenant); err == nil {
			w.Errorf("tenant %q has a log", tenant)
		}
		if _, err := w.Store.Commit(w.ctx, tenant, Change(w, "acme", vault.Record{})); err == nil {
			w.Errorf("tenant %q takes a change", tenant)
		}
	}
	w.keep(p, p.Value("the store is still there"))
}

func emptyAndAbsent(w *world) {
	w.tenant("acme")
	bare := NewPlace("acme", "bare", w.now())
	bare.Scope.SealedName, bare.Scope.NameKeyID, bare.Scope.Client = nil, "", ""
	full := NewPlace("acme", "full", w.now())
	full.Scope.EndUser = Digest("end user")
	w.commit("acme", vault.OpenScope{Scope: bare.Scope})
	w.commit("acme", full.Open())
	for _, want := range []vault.Scope{bare.Scope, full.Scope} {
		got, err := w.Store.Scope(w.ctx, "acme", want.Digest)
		w.no(err)
		if diff := cmp.Diff(want, got); diff != "" {
			w.Error(diff)
		}
	}
	m := full.Value("v")
	w.keep(full, m)
	if got := w.read(full, m.Mapping.TokenID)[m.Mapping.TokenID]; got.SubjectRefs != nil {
		w.Errorf("a value of nobody has subjects %q", got.SubjectRefs)
	}
	if got := w.read(full); len(got) != 0 {
		w.Errorf("no ids read %d mappings", len(got))
	}
	if keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{IDs: []string{""}}); err != nil || len(keys) != 0 {
		w.Errorf("the empty id reads %d keys, %v", len(keys), err)
	}
	if _, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{ScopeID: "a", SubjectRef: "b"}); err == nil {
		w.Error("keys of a scope and of a subject at once are no question")
	}
	for _, body := range [][]byte{nil, {}, {0}, []byte("x")} {
		w.no(w.Books.Note(w.ctx, "acme", vault.Note{Kind: vault.NoteCheckpoint, Body: body}))
		got, err := w.Books.LastNote(w.ctx, "acme", vault.NoteCheckpoint)
		w.no(err)
		if string(got.Body) != string(body) {
			w.Errorf("a note of %q came back as %q", body, got.Body)
		}
	}
}

func anyBytes(w *world) {
	p := w.place("acme")
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	var values []vault.NewMapping
	for i, sealed := range [][]byte{every, {0}, []byte("\x00after"), make([]byte, 20_000)} {
		m := p.Value(fmt.Sprint("value ", i))
		m.Mapping.Sealed = sealed
		values = append(values, m)
	}
	w.keep(p, values...)
	for _, m := range values {
		want := m.Mapping
		want.CreatedAt, want.ExpiresAt, want.MaxExpiresAt = w.now(), w.now().Add(ttl), w.now().Add(maxAge)
		want.KeyAlive = true
		if diff := cmp.Diff(want, w.read(p, want.TokenID)[want.TokenID]); diff != "" {
			w.Error(diff)
		}
	}
}
