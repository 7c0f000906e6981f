package storagetest

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var stateClauses = []clause{
	{"tenants/a tenant begins active", tenantBegins},
	{"Invariant15/a suspended tenant is not served until it is resumed", suspended},
	{"Invariant15/a closed tenant stays closed", closedForGood},
	{"tenants/suspending one leaves the others alone", suspendedAlone},
}

var rewrapClauses = []clause{
	{"wrapping/stale keys are those below a version", staleKeys},
	{"wrapping/keys are wrapped anew, as they were read or not at all", rewraps},
	{"Invariant8/no key is written below the minimum", wrapMinimum},
	{"wrapping/the minimum never falls", minimumRises},
}

// row reads what stands of a tenant; its head says the same.
func (w *world) row(tenant string) vault.Tenant {
	w.Helper()
	all, err := w.Registry.Tenants(w.ctx)
	w.no(err)
	for _, t := range all {
		if t.Name != tenant {
			continue
		}
		head, err := w.Ledger.Head(w.ctx, tenant)
		w.no(err)
		if head.State != t.State || head.MinWrapVersion != t.MinWrapVersion {
			w.Errorf("the row says %+v, the head %+v", t, head)
		}
		return t
	}
	w.Fatalf("there is no tenant %q", tenant)
	return vault.Tenant{}
}

func (w *world) inState(tenant string, want vault.TenantState) {
	w.Helper()
	if got := w.row(tenant).State; got != want {
		w.Errorf("%s is %s, want %s", tenant, got, want)
	}
}

func tenantBegins(w *world) {
	w.tenant("acme")
	if got := w.row("acme"); got.State != vault.TenantActive || got.MinWrapVersion != 1 {
		w.Errorf("a new tenant: %+v", got)
	}
	w.refuse(vault.ErrConflict, "acme", vault.SetTenant{State: vault.TenantActive})
}

func suspended(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	w.commit("acme", vault.SetTenant{State: vault.TenantSuspended})
	w.inState("acme", vault.TenantSuspended)
	w.refuse(vault.ErrConflict, "acme", vault.SetTenant{State: vault.TenantSuspended})
	w.servesNothing(p, m)
	w.commit("acme", vault.SetTenant{State: vault.TenantActive})
	w.inState("acme", vault.TenantActive)
	w.commit("acme", p.Restore(m))
	w.keep(p, p.Value("another"))
	w.CheckLog("acme")
}

// servesNothing checks that a tenant tokenizes and restores nothing, while its
// log goes on and what is past may be destroyed.
func (w *world) servesNothing(p Place, m vault.NewMapping) {
	w.Helper()
	w.refuse(vault.ErrSuspended, p.Tenant, p.Restore(m))
	w.refuse(vault.ErrSuspended, p.Tenant, p.Tokenize(p.Value("new")))
	w.refuse(vault.ErrSuspended, p.Tenant, p.Tokenize(m))
	w.refuse(vault.ErrSuspended, p.Tenant, NewPlace(p.Tenant, "another scope", w.now()).Open())
	w.commit(p.Tenant, vault.Record{})
	gone := p.Value("gone")
	w.refuse(vault.ErrConflict, p.Tenant, p.Sweep(gone))
}

func closedForGood(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	w.commit("acme", vault.SetTenant{State: vault.TenantSuspended})
	w.commit("acme", vault.SetTenant{State: vault.TenantClosed})
	w.inState("acme", vault.TenantClosed)
	for _, state := range []vault.TenantState{vault.TenantActive, vault.TenantSuspended, vault.TenantClosed} {
		w.refuse(vault.ErrConflict, "acme", vault.SetTenant{State: state})
	}
	w.servesNothing(p, m)
	w.refuse(vault.ErrConflict, "acme", Provision())
	w.clock.Advance(2 * ttl)
	w.commit("acme", p.Sweep(m))
	w.CheckLog("acme")
}

func suspendedAlone(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	w.tenant("Acme")
	w.commit("Acme", vault.SetTenant{State: vault.TenantClosed})
	w.inState("acme", vault.TenantActive)
	w.commit("acme", p.Restore(m))
}

// wrappedAt is a wrapped key of a version.
func wrappedAt(version int) envelope.Wrapped {
	return envelope.Wrapped{Version: version, Bytes: fmt.Append(nil, "wrapped at ", version)}
}

func staleKeys(w *world) {
	p := w.place("acme") // two keys of the tenant and one of the scope, all of version 3
	stale := func(below, limit int) []vault.StaleKey {
		w.Helper()
		keys, err := w.Registry.StaleKeys(w.ctx, "acme", below, limit)
		w.no(err)
		return keys
	}
	if got := stale(3, 10); len(got) != 0 {
		w.Errorf("below their own version: %d keys", len(got))
	}
	got := stale(4, 10)
	if len(got) != 3 {
		w.Fatalf("%d stale keys, want 3", len(got))
	}
	for _, k := range got {
		if k.Wrapped.Version != 3 || len(k.Wrapped.Bytes) == 0 {
			w.Errorf("a stale key: %+v", k)
		}
		if k.ID == p.Key.ID && string(k.Wrapped.Bytes) != string(p.Key.Wrapped.Bytes) {
			w.Error("the key of the scope is not as it was written")
		}
	}
	for _, limit := range []int{1, 2} {
		if got := stale(4, limit); len(got) != limit {
			w.Errorf("%d stale keys, at most %d were asked for", len(got), limit)
		}
	}
}

func rewraps(w *world) {
	p := w.place("acme")
	tenantKeys, err := w.Registry.TenantKeys(w.ctx, "acme")
	w.no(err)
	anew := func(id string, from, to int) vault.RewrappedKey {
		return vault.RewrappedKey{ID: id, From: from, Wrapped: wrappedAt(to)}
	}
	w.refuse(vault.ErrConflict, "acme", vault.Rewrap{Keys: []vault.RewrappedKey{anew(p.Key.ID, 3, 4), anew("none", 3, 4)}})
	w.refuse(vault.ErrConflict, "acme", vault.Rewrap{Keys: []vault.RewrappedKey{anew(p.Key.ID, 2, 4)}})
	w.commit("acme", vault.Rewrap{Keys: []vault.RewrappedKey{anew(p.Key.ID, 3, 4), anew(tenantKeys[0].ID, 3, 4)}})
	keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{IDs: []string{p.Key.ID}})
	w.no(err)
	if len(keys) != 1 || keys[0].Wrapped.Version != 4 || string(keys[0].Wrapped.Bytes) != string(wrappedAt(4).Bytes) {
		w.Errorf("the key of the scope: %+v", keys)
	}
	after, err := w.Registry.TenantKeys(w.ctx, "acme")
	w.no(err)
	for _, k := range after {
		want := 3
		if k.ID == tenantKeys[0].ID {
			want = 4
		}
		if k.Wrapped.Version != want {
			w.Errorf("a tenant key has version %d, want %d", k.Wrapped.Version, want)
		}
	}
	// Another tenant's keys of the same ids are out of reach.
	w.tenant("globex")
	w.refuse(vault.ErrConflict, "globex", vault.Rewrap{Keys: []vault.RewrappedKey{anew(p.Key.ID, 4, 5)}})
}

func wrapMinimum(w *world) {
	p := w.place("acme")
	w.commit("acme", vault.RaiseWrapMinimum{Version: 4})
	if got := w.row("acme").MinWrapVersion; got != 4 {
		w.Errorf("the minimum is %d, want 4", got)
	}
	old := NewPlace("acme", "another", w.now())
	w.refuse(vault.ErrWrapVersion, "acme", old.Open())
	fresh := p.FreshKey()
	m := p.Value("v")
	m.Mapping.KeyID = fresh.ID
	effect := p.Tokenize(m)
	effect.Keys = []vault.DataKey{fresh}
	w.refuse(vault.ErrWrapVersion, "acme", effect)
	w.refuse(vault.ErrWrapVersion, "acme", vault.Rewrap{Keys: []vault.RewrappedKey{{ID: p.Key.ID, From: 3, Wrapped: wrappedAt(3)}}})
	// What stands goes on serving, and what is new enough is written.
	w.keep(p, p.Value("under the standing key"))
	effect.Keys[0].Wrapped = wrappedAt(4)
	w.commit("acme", effect)
	w.commit("acme", vault.Rewrap{Keys: []vault.RewrappedKey{{ID: p.Key.ID, From: 3, Wrapped: wrappedAt(4)}}})
}

func minimumRises(w *world) {
	w.tenant("acme")
	w.commit("acme", vault.RaiseWrapMinimum{Version: 4})
	for _, version := range []int{1, 3, 4} {
		w.refuse(vault.ErrConflict, "acme", vault.RaiseWrapMinimum{Version: version})
	}
	entry := audit.Entry{Kind: audit.KindKeyRotate, Actor: "keys", Counts: map[string]int{"min_wrap_version": 5}}
	if _, err := w.Store.Commit(w.ctx, "acme", changeWith(w, "acme", vault.RaiseWrapMinimum{Version: 5}, entry)); err != nil {
		w.Errorf("to rise: %v", err)
	}
	if got := w.row("acme").MinWrapVersion; got != 5 {
		w.Errorf("the minimum is %d, want 5", got)
	}
}
