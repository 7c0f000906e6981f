package storagetest

import (
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var closingClauses = []clause{
	{"Invariant9/a scope that was closed is over from the commit on", closedScope},
	{"scopes/another of the name follows one that was closed", closedThenOpened},
	{"scopes/only one that lives is closed", closedOnce},
	{"scopes/closing shortens lives and nothing else", closedLives},
	{"Invariant9/closing ends a scope also where time stands still", closedInstant},
	{"Invariant7/what is held is kept when its scope is closed", closedHeld},
}

func (p Place) close() vault.CloseScope { return vault.CloseScope{ScopeID: p.Scope.ID} }

func closedScope(w *world) {
	p := w.place("acme")
	other := w.scope("acme", "another conversation")
	a, b, far := p.Value("a"), p.Value("b"), other.Value("a")
	w.keep(p, a, b)
	w.keep(other, far)
	w.clock.Advance(time.Microsecond)
	w.commit("acme", p.close())
	_, err := w.Store.Scope(w.ctx, "acme", p.Scope.Digest)
	w.is(err, vault.ErrNotFound)
	for _, m := range w.read(p, a.Mapping.TokenID, b.Mapping.TokenID) {
		if !m.Expired || !m.ExpiresAt.Equal(w.now()) || m.Held {
			w.Errorf("a mapping of it: %+v", m)
		}
	}
	w.refuse(vault.ErrConflict, "acme", p.Restore(a))
	reaches := p.Restore(a)
	reaches.Refs[0].Expired = true
	w.refuse(vault.ErrConflict, "acme", reaches)
	w.refuse(vault.ErrScopeMoved, "acme", p.Tokenize(p.Value("a")))
	touch := p.Tokenize()
	touch.Touch = []vault.TouchRef{{TokenID: a.Mapping.TokenID, Entity: a.Mapping.Entity, TTL: ttl}}
	w.refuse(vault.ErrScopeMoved, "acme", touch)
	if m, k, s := w.sweepUntilDone("acme", 10); m != 2 || k != 1 || s != 1 {
		w.Errorf("%d mappings, %d keys, %d scopes were swept; want 2, 1, 1", m, k, s)
	}
	w.commit("acme", other.Restore(far))
	w.keep(other, other.Value("more"))
	w.CheckLog("acme")
}

func closedThenOpened(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	w.clock.Advance(time.Second)
	w.commit("acme", p.close())
	next := NewPlace("acme", "a conversation", w.now())
	again := next.Value("v")
	effect := next.Tokenize(again)
	effect.NewScope, effect.Keys = true, []vault.DataKey{next.Key}
	if s := w.commit("acme", effect).Outcome.Standing[0]; s.Reused || s.TokenID != again.Mapping.TokenID {
		w.Errorf("in the one that followed: %+v", s)
	}
	scope, err := w.Store.Scope(w.ctx, "acme", p.Scope.Digest)
	w.no(err)
	if scope.ID != next.Scope.ID {
		w.Error("the name leads to the one that was closed")
	}
	w.commit("acme", next.Restore(again))
	w.refuse(vault.ErrConflict, "acme", p.Restore(m))
	w.refuse(vault.ErrConflict, "acme", p.close())
	w.commit("acme", next.Restore(again))
}

func closedOnce(w *world) {
	p := w.place("acme")
	theirs := p
	theirs.Tenant = "Acme"
	w.tenant("Acme")
	w.commit("Acme", theirs.Open())
	w.clock.Advance(time.Second)
	w.refuse(vault.ErrConflict, "acme", vault.CloseScope{ScopeID: "none"})
	w.refuse(vault.ErrConflict, "acme", vault.CloseScope{})
	w.commit("acme", p.close())
	w.refuse(vault.ErrConflict, "acme", p.close())
	if _, err := w.Store.Scope(w.ctx, "Acme", p.Scope.Digest); err != nil {
		w.Errorf("the scope of another tenant: %v", err)
	}
	// One that ended by itself, and one of a tenant that is not served.
	q := NewPlace("acme", "short", w.now())
	q.Scope.EndsAt = w.now().Add(ttl)
	w.commit("acme", q.Open())
	w.clock.Advance(ttl)
	w.refuse(vault.ErrConflict, "acme", q.close())
	w.commit("Acme", vault.SetTenant{State: vault.TenantSuspended})
	w.commit("Acme", theirs.close())
}

func closedLives(w *world) {
	p := w.place("acme")
	short, long := p.Value("short"), p.Value("long")
	short.TTL, long.TTL = time.Second, maxAge
	w.keep(p, short, long)
	ended := w.now().Add(time.Second)
	w.clock.Advance(time.Minute)
	before := w.read(p, long.Mapping.TokenID)[long.Mapping.TokenID]
	w.commit("acme", p.close())
	got := w.read(p, short.Mapping.TokenID, long.Mapping.TokenID)
	for id, want := range map[string]time.Time{short.Mapping.TokenID: ended, long.Mapping.TokenID: w.now()} {
		if m := got[id]; !m.ExpiresAt.Equal(want) || !m.Expired {
			w.Errorf("expires at %v, want %v (expired: %v)", m.ExpiresAt, want, m.Expired)
		}
	}
	if m := got[long.Mapping.TokenID]; !m.MaxExpiresAt.Equal(before.MaxExpiresAt) || !m.CreatedAt.Equal(before.CreatedAt) || m.State != before.State {
		w.Errorf("before %+v, after %+v", before, m)
	}
}

// closedInstant closes scopes in the very instant in which all was made, with a
// clock that stands still, and with one that went back.
func closedInstant(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	last := w.now()
	for i, back := range []time.Duration{0, time.Microsecond, time.Hour} {
		w.clock.Advance(-back)
		last = last.Add(time.Microsecond)
		c := w.commit("acme", p.close())
		got := w.read(p, m.Mapping.TokenID)[m.Mapping.TokenID]
		if !c.At.Equal(last) || !got.Expired || !got.ExpiresAt.Equal(last) {
			w.Errorf("closed at %v, want %v; it expires at %v (expired: %v)", c.At, last, got.ExpiresAt, got.Expired)
		}
		_, err := w.Store.Scope(w.ctx, "acme", p.Scope.Digest)
		w.is(err, vault.ErrNotFound)
		w.refuse(vault.ErrConflict, "acme", p.Restore(m))
		w.refuse(vault.ErrScopeMoved, "acme", p.Tokenize(p.Value("w")))
		w.refuse(vault.ErrConflict, "acme", p.close())
		if m, k, s := w.sweepUntilDone("acme", 10); m != 1 || k != 1 || s != 1 {
			w.Errorf("%d mappings, %d keys, %d scopes were swept; want 1 of each", m, k, s)
		}
		p = NewPlace("acme", "a conversation", w.now())
		m = p.Value(fmt.Sprint("again ", i))
		effect := p.Tokenize(m)
		effect.NewScope, effect.Keys = true, []vault.DataKey{p.Key}
		w.commit("acme", effect)
		w.commit("acme", p.Restore(m))
	}
	w.CheckLog("acme")
}

func closedHeld(w *world) {
	p := w.place("acme")
	mine, other := p.Value("mine"), p.Value("other")
	w.keep(p, mine, other)
	id := w.hold("acme", onValue(mine))
	w.clock.Advance(time.Second)
	w.commit("acme", p.close())
	w.kept(p, "after it was closed", []string{mine.Mapping.TokenID}, mine, other)
	if m, k, s := w.sweepUntilDone("acme", 10); m != 1 || k != 0 || s != 0 {
		w.Errorf("%d mappings, %d keys, %d scopes were swept; want 1 mapping", m, k, s)
	}
	w.release("acme", id)
	if m, k, s := w.sweepUntilDone("acme", 10); m != 1 || k != 1 || s != 1 {
		w.Errorf("after the release %d mappings, %d keys, %d scopes were swept; want 1 of each", m, k, s)
	}
}
