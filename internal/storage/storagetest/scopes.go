package storagetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var scopeClauses = []clause{
	{"scopes/come back as they were opened, at the commit's time", scopeRoundTrip},
	{"scopes/one of a name lives at a time", oneLivingScope},
	{"scopes/a tokenize needs the scope that it was planned for", scopeMoved},
	{"scopes/a scope at its end does not live", scopeEnd},
	{"scopes/one that would end before it begins is refused", scopeBornDead},
}

func scopeRoundTrip(w *world) {
	w.tenant("acme")
	for _, kind := range []vault.ScopeKind{vault.ScopeConversation, vault.ScopeUser, vault.ScopeCase, vault.ScopeCorpus} {
		p := NewPlace("acme", string(kind), w.now())
		p.Scope.Kind, p.Scope.IdleTTL = kind, 7*time.Minute+123456*time.Microsecond
		w.clock.Advance(time.Second)
		w.commit("acme", p.Open())
		want := p.Scope
		want.CreatedAt = w.now()
		got, err := w.Store.Scope(w.ctx, "acme", p.Scope.Digest)
		w.no(err)
		if diff := cmp.Diff(want, got); diff != "" {
			w.Error(diff)
		}
	}
	_, err := w.Store.Scope(w.ctx, "acme", Digest("scope", "another"))
	w.is(err, vault.ErrNotFound)
	strange := NewPlace("acme", "strange", w.now())
	strange.Scope.Kind = "forever"
	if _, err := w.try("acme", strange.Open()); err == nil {
		w.Error("a scope of a kind that is not in the list was made")
	}
}

func oneLivingScope(w *world) {
	p := w.place("acme")
	second := NewPlace("acme", "a conversation", w.now())
	w.refuse(vault.ErrScopeMoved, "acme", second.Open())
	w.refuse(vault.ErrScopeMoved, "acme", p.Open())
	first := second.Tokenize(second.Value("v"))
	first.NewScope, first.Keys = true, []vault.DataKey{second.Key}
	w.refuse(vault.ErrScopeMoved, "acme", first)
	if keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{ScopeID: second.Scope.ID}); err != nil || len(keys) != 0 {
		w.Errorf("a refused scope left %d keys, %v", len(keys), err)
	}
	got, err := w.Store.Scope(w.ctx, "acme", p.Scope.Digest)
	w.no(err)
	if got.ID != p.Scope.ID {
		w.Error("a refused scope took over")
	}
}

func scopeMoved(w *world) {
	p := w.place("acme")
	moved := p
	moved.Scope.ID = vault.NewID()
	w.refuse(vault.ErrScopeMoved, "acme", moved.Tokenize())
	renamed := p
	renamed.Scope.Digest = Digest("scope", "never opened")
	w.refuse(vault.ErrScopeMoved, "acme", renamed.Tokenize())
	// The first use makes it, with its name's key and its values.
	first := NewPlace("acme", "first use", w.now())
	m := first.Value("v")
	effect := first.Tokenize(m)
	effect.NewScope, effect.Keys = true, []vault.DataKey{first.Key}
	w.commit("acme", effect)
	w.commit("acme", first.Restore(m))
	if got, err := w.Store.Scope(w.ctx, "acme", first.Scope.Digest); err != nil || got.ID != first.Scope.ID {
		w.Errorf("the first use made scope %q, %v", got.ID, err)
	}
	nameless := NewPlace("acme", "without its key", w.now())
	effect = nameless.Tokenize()
	effect.NewScope = true // names a key that it does not bring
	w.refuse(vault.ErrKeyDestroyed, "acme", effect)
}

func scopeEnd(w *world) {
	w.tenant("acme")
	p := NewPlace("acme", "short", w.now())
	p.Scope.EndsAt = w.now().Add(2 * ttl)
	w.commit("acme", p.Open())
	m := p.Value("v")
	m.TTL, m.MaxAge = 3*ttl, 3*ttl
	if s := w.keep(p, m)[0]; !s.ExpiresAt.Equal(p.Scope.EndsAt) {
		w.Errorf("a mapping of the scope expires at %v, after the scope's end %v", s.ExpiresAt, p.Scope.EndsAt)
	}
	w.clock.Advance(2*ttl - time.Microsecond)
	_, err := w.Store.Scope(w.ctx, "acme", p.Scope.Digest)
	w.no(err)
	w.clock.Advance(time.Microsecond)
	_, err = w.Store.Scope(w.ctx, "acme", p.Scope.Digest)
	w.is(err, vault.ErrNotFound)
	w.refuse(vault.ErrScopeMoved, "acme", p.Tokenize(p.Value("w")))
	w.refuse(vault.ErrConflict, "acme", p.Restore(m))
	// Another one of the name may follow, though the first is not swept yet.
	next := NewPlace("acme", "short", w.now())
	w.commit("acme", next.Open())
	got, err := w.Store.Scope(w.ctx, "acme", p.Scope.Digest)
	w.no(err)
	if got.ID != next.Scope.ID {
		w.Errorf("got scope %s, want the one that followed", got.ID)
	}
	w.refuse(vault.ErrScopeMoved, "acme", p.Tokenize())
	w.refuse(vault.ErrScopeMoved, "acme", NewPlace("acme", "short", w.now()).Open())
}

func scopeBornDead(w *world) {
	w.tenant("acme")
	p := NewPlace("acme", "late", w.now())
	w.clock.Advance(life)
	w.refuse(vault.ErrConflict, "acme", p.Open())
}
