package storagetest

import (
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var sweepClauses = []clause{
	{"sweep/destroys only what is past its time", sweepTime},
	{"sweep/destroys all that it names or nothing", sweepExact},
	{"sweep/what Expired returns can be swept until nothing is left", sweepAll},
	{"sweep/Expired returns at most what was asked for", sweepLimit},
	{"sweep/a key that seals again is not idle", idleKeyUsed},
}

func sweepTime(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	w.clock.Advance(ttl - time.Microsecond)
	w.refuse(vault.ErrConflict, "acme", p.Sweep(m))
	if s, err := w.Registry.Expired(w.ctx, "acme", 10); err != nil || len(s.Mappings)+len(s.Keys)+len(s.Scopes) != 0 {
		w.Errorf("expired a microsecond early: %+v, %v", s, err)
	}
	w.clock.Advance(time.Microsecond)
	w.commit("acme", p.Sweep(m))
	if got := w.read(p, m.Mapping.TokenID); len(got) != 0 {
		w.Error("a swept mapping is read")
	}
	w.refuse(vault.ErrConflict, "acme", p.Sweep(m))
}

func sweepExact(w *world) {
	p := w.place("acme")
	old := p.Value("old")
	w.keep(p, old)
	w.clock.Advance(ttl)
	young := p.Value("young")
	other := p
	other.Key = p.FreshKey()
	young.Mapping.KeyID = other.Key.ID
	effect := p.Tokenize(young)
	effect.Keys = []vault.DataKey{other.Key}
	w.commit("acme", effect)
	for name, s := range map[string]vault.Sweep{
		"one that is not expired": p.Sweep(old, young),
		"one that is not there":   p.Sweep(old, p.Value("none")),
		"one twice":               p.Sweep(old, old),
		"a key that seals":        {Mappings: p.Sweep(old).Mappings, Keys: []string{other.Key.ID}},
		"a key of a name":         {Mappings: p.Sweep(old).Mappings, Keys: []string{p.Key.ID}},
		"a key that is not there": {Mappings: p.Sweep(old).Mappings, Keys: []string{"none"}},
		"a scope that lives":      {Mappings: p.Sweep(old).Mappings, Scopes: []string{p.Scope.ID}},
		"a scope not there":       {Mappings: p.Sweep(old).Mappings, Scopes: []string{"none"}},
	} {
		before := w.size("acme")
		if _, err := w.try("acme", s); err == nil {
			w.Fatalf("a sweep of %s was taken", name)
		}
		if got := w.read(p, old.Mapping.TokenID); len(got) != 1 || w.size("acme") != before {
			w.Errorf("a refused sweep of %s did something", name)
		}
	}
	w.commit("acme", p.Sweep(old))
	w.commit("acme", p.Restore(young))
}

// sweepUntilDone commits what Expired returns until it returns nothing, and
// counts what it destroyed.
func (w *world) sweepUntilDone(tenant string, limit int) (mappings, keys, scopes int) {
	w.Helper()
	for range 1000 {
		s, err := w.Registry.Expired(w.ctx, tenant, limit)
		w.no(err)
		if len(s.Mappings)+len(s.Tombstones)+len(s.Keys)+len(s.Scopes) == 0 {
			return mappings, keys, scopes
		}
		w.commit(tenant, s)
		mappings, keys, scopes = mappings+len(s.Mappings), keys+len(s.Keys), scopes+len(s.Scopes)
	}
	w.Fatal("the sweep does not end")
	return 0, 0, 0
}

func sweepAll(w *world) {
	p := w.place("acme")
	for i := range 5 {
		m := p.Value(fmt.Sprint("value ", i))
		key := p.FreshKey()
		m.Mapping.KeyID = key.ID
		effect := p.Tokenize(m)
		effect.Keys = []vault.DataKey{key}
		w.commit("acme", effect)
	}
	ann := person("ann")
	m := p.Value("of ann")
	key := vault.DataKey{ID: vault.NewID(), SubjectRef: ann.Ref, Wrapped: wrapped("ann")}
	m.Mapping.KeyID, m.SubjectRefs = key.ID, []string{ann.Ref}
	effect := about(p, []vault.SubjectUse{{Subject: ann, New: true}}, m)
	effect.Keys = []vault.DataKey{key}
	w.commit("acme", effect)
	w.clock.Advance(ttl)
	if m, k, s := w.sweepUntilDone("acme", 4); m != 6 || k != 6 || s != 0 {
		w.Errorf("past their time: %d mappings, %d keys, %d scopes destroyed; want 6, 6, 0", m, k, s)
	}
	// The scope lives on, and so does the key that seals its name.
	w.keep(p, p.Value("a late one"))
	w.clock.Advance(life)
	if m, k, s := w.sweepUntilDone("acme", 4); m != 1 || k != 1 || s != 1 {
		w.Errorf("past the scope's end: %d mappings, %d keys, %d scopes destroyed; want 1 of each", m, k, s)
	}
	w.CheckLog("acme")
}

func sweepLimit(w *world) {
	p := w.place("acme")
	for i := range 7 {
		w.clock.Advance(time.Second)
		w.keep(p, p.Value(fmt.Sprint("value ", i)))
	}
	w.clock.Advance(ttl)
	s, err := w.Registry.Expired(w.ctx, "acme", 3)
	w.no(err)
	if len(s.Mappings) != 3 || len(s.Keys)+len(s.Scopes) != 0 {
		w.Errorf("asked for 3, got %+v", s)
	}
	if _, err := w.Registry.Expired(w.ctx, "acme", 0); err == nil {
		w.Error("a sweep without a limit")
	}
}

func idleKeyUsed(w *world) {
	p := w.place("acme")
	key := p.FreshKey()
	m := p.Value("v")
	m.Mapping.KeyID = key.ID
	effect := p.Tokenize(m)
	effect.Keys = []vault.DataKey{key}
	w.commit("acme", effect)
	w.clock.Advance(ttl)
	w.commit("acme", p.Sweep(m))
	idle, err := w.Registry.Expired(w.ctx, "acme", 10)
	w.no(err)
	if len(idle.Keys) != 1 || idle.Keys[0] != key.ID {
		w.Fatalf("idle keys: %q, want %q", idle.Keys, key.ID)
	}
	again := p.Value("w")
	again.Mapping.KeyID = key.ID
	w.keep(p, again)
	w.refuse(vault.ErrConflict, "acme", idle)
	if s, err := w.Registry.Expired(w.ctx, "acme", 10); err != nil || len(s.Keys) != 0 {
		w.Errorf("a key that seals is still idle: %q, %v", s.Keys, err)
	}
	w.commit("acme", p.Restore(again))
}
