package storagetest

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var keyClauses = []clause{
	{"keys/come back as they were written, newest first", keyQueries},
	{"keys/only those that seal something are kept", unusedKeys},
	{"keys/a key of a scope seals at most so many values", fullKey},
	{"Invariant8/nothing is sealed under a key that is gone", goneKey},
	{"keys/a value is sealed by a key of its own scope or subject", foreignKey},
	{"Invariant8/destroying a key destroys what it seals", destroyedKey},
}

func keyQueries(w *world) {
	p := w.place("acme")
	keys := []vault.DataKey{p.Key}
	for i := range vault.MaxKeysPerQuery + 2 {
		w.clock.Advance(time.Second)
		key := p.FreshKey()
		m := p.Value(fmt.Sprint("value ", i))
		m.Mapping.KeyID = key.ID
		effect := p.Tokenize(m)
		effect.Keys = []vault.DataKey{key}
		w.commit("acme", effect)
		key.Sealed, key.CreatedAt = 1, w.now()
		keys = append([]vault.DataKey{key}, keys...)
	}
	get := func(q vault.KeyQuery) []vault.DataKey {
		got, err := w.Store.Keys(w.ctx, "acme", q)
		w.no(err)
		return got
	}
	for _, tt := range []struct {
		name string
		q    vault.KeyQuery
		want []vault.DataKey
	}{
		{"of a scope", vault.KeyQuery{ScopeID: p.Scope.ID}, keys[:vault.MaxKeysPerQuery]},
		{"of a scope, two", vault.KeyQuery{ScopeID: p.Scope.ID, Limit: 2}, keys[:2]},
		{"by id", vault.KeyQuery{IDs: []string{keys[3].ID, "none", keys[1].ID}}, []vault.DataKey{keys[1], keys[3]}},
		{"of another scope", vault.KeyQuery{ScopeID: "none"}, nil},
		{"of a subject", vault.KeyQuery{SubjectRef: "none"}, nil},
		{"of nothing", vault.KeyQuery{}, nil},
	} {
		if diff := cmp.Diff(tt.want, get(tt.q)); diff != "" {
			w.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func unusedKeys(w *world) {
	p := w.place("acme")
	used, unused := p.FreshKey(), p.FreshKey()
	m := p.Value("v")
	m.Mapping.KeyID = used.ID
	effect := p.Tokenize(m)
	effect.Keys = []vault.DataKey{used, unused}
	w.commit("acme", effect)
	// Found again: the fresh key that sealed it for nothing is not kept.
	late := p.FreshKey()
	again := p.Value("v")
	again.Mapping.KeyID = late.ID
	effect = p.Tokenize(again)
	effect.Keys = []vault.DataKey{late}
	w.commit("acme", effect)
	got, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{IDs: []string{used.ID, unused.ID, late.ID}})
	w.no(err)
	if len(got) != 1 || got[0].ID != used.ID || got[0].Sealed != 1 {
		w.Errorf("kept: %+v", got)
	}
}

func fullKey(w *world) {
	p := w.place("acme")
	fill := func(from, to int) []vault.NewMapping {
		var values []vault.NewMapping
		for i := from; i < to; i++ {
			values = append(values, p.Value(fmt.Sprint("value ", i)))
		}
		return values
	}
	w.keep(p, fill(0, vault.MaxSealsPerKey-2)...)
	w.refuse(vault.ErrKeyDestroyed, "acme", p.Tokenize(fill(vault.MaxSealsPerKey-2, vault.MaxSealsPerKey+1)...))
	// What is found again is not sealed again.
	w.keep(p, append(fill(0, 5), fill(vault.MaxSealsPerKey-2, vault.MaxSealsPerKey)...)...)
	w.refuse(vault.ErrKeyDestroyed, "acme", p.Tokenize(p.Value("one more")))
	keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{IDs: []string{p.Key.ID}})
	w.no(err)
	if len(keys) != 1 || keys[0].Sealed != vault.MaxSealsPerKey {
		w.Errorf("the key sealed %+v", keys)
	}
	// A fresh key takes the next; one of a subject has no such bound.
	next := p
	next.Key = p.FreshKey()
	effect := next.Tokenize(next.Value("one more"))
	effect.Keys = []vault.DataKey{next.Key}
	w.commit("acme", effect)
	ann := person("ann")
	key := vault.DataKey{ID: vault.NewID(), SubjectRef: ann.Ref, Wrapped: wrapped("ann")}
	values := fill(2000, 2000+vault.MaxSealsPerKey+1)
	for i := range values {
		values[i].Mapping.KeyID, values[i].SubjectRefs = key.ID, []string{ann.Ref}
	}
	effect = about(p, []vault.SubjectUse{{Subject: ann, New: true}}, values...)
	effect.Keys = []vault.DataKey{key}
	w.commit("acme", effect)
}

func goneKey(w *world) {
	p := w.place("acme")
	kept := p.Value("kept")
	w.keep(p, kept)
	never := p
	never.Key = p.FreshKey()
	w.refuse(vault.ErrKeyDestroyed, "acme", never.Tokenize(never.Value("v")))
	// A key that is not used is not asked for.
	again := never.Value("kept")
	if s := w.keep(p, again)[0]; !s.Reused {
		w.Error("the value was not found again")
	}
	w.commit("acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
	w.refuse(vault.ErrKeyDestroyed, "acme", p.Tokenize(p.Value("v")))
	w.refuse(vault.ErrKeyDestroyed, "acme", p.Tokenize(p.Value("kept")))
}

func foreignKey(w *world) {
	p := w.place("acme")
	q := w.scope("acme", "another conversation")
	m := p.Value("v")
	m.Mapping.KeyID = q.Key.ID
	ann, bob := person("ann"), person("bob")
	key := vault.DataKey{ID: vault.NewID(), SubjectRef: ann.Ref, Wrapped: wrapped("ann")}
	mine := p.Value("of bob")
	mine.Mapping.KeyID, mine.SubjectRefs = key.ID, []string{bob.Ref}
	effect := about(p, []vault.SubjectUse{{Subject: ann, New: true}, {Subject: bob, New: true}}, mine)
	effect.Keys = []vault.DataKey{key}
	for name, e := range map[string]vault.Tokenize{"another scope": p.Tokenize(m), "another subject": effect} {
		if _, err := w.try("acme", e); err == nil {
			w.Errorf("a value under a key of %s was taken", name)
		}
	}
}

func destroyedKey(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	other := p
	other.Key = p.FreshKey()
	safe := other.Value("safe")
	effect := other.Tokenize(safe)
	effect.Keys = []vault.DataKey{other.Key}
	w.commit("acme", effect)
	w.refuse(vault.ErrConflict, "acme", vault.DestroyKeys{Keys: []string{p.Key.ID, "none"}})
	w.commit("acme", p.Restore(m)) // a refused destruction destroys nothing
	w.commit("acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
	w.refuse(vault.ErrConflict, "acme", p.Restore(m))
	reaches := p.Restore(m)
	reaches.Refs[0].Expired, reaches.Refs[0].Restricted = true, true
	w.refuse(vault.ErrConflict, "acme", reaches)
	if got := w.read(p, m.Mapping.TokenID, safe.Mapping.TokenID); len(got) != 1 {
		w.Errorf("%d mappings are left, want the one under another key", len(got))
	}
	w.commit("acme", other.Restore(safe))
	w.refuse(vault.ErrConflict, "acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
	// The name of the scope went with its key; the scope stands.
	scope, err := w.Store.Scope(w.ctx, "acme", p.Scope.Digest)
	w.no(err)
	if scope.SealedName != nil || scope.NameKeyID != "" {
		w.Errorf("the name is still sealed under %q", scope.NameKeyID)
	}
	fresh := other.Value("v")
	if s := w.keep(other, fresh)[0]; s.Reused {
		w.Error("a destroyed value was found again")
	}
}
