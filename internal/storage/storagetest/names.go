package storagetest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var nameClauses = []clause{
	{"names/of scopes and of people come back as they were sealed", nameRoundTrip},
	{"names/a person's is sealed under a key of theirs", nameKeys},
	{"Invariant1/a name is restored as it was read, while its key stands", nameRestored},
	{"names/the key of a name is not idle while the person is known", nameKeyStands},
	{"Invariant8/the name of who was erased is gone", nameErased},
	{"Invariant6/names of one tenant are no other's", nameForeign},
}

// withName is a person with a sealed name, and the key that seals it.
func withName(name string) (vault.Subject, vault.DataKey) {
	s := person(name)
	key := keyOf(s)
	s.SealedName, s.NameKeyID = []byte("sealed name of "+name), key.ID
	return s, key
}

// named makes the row of a person with a name.
func (w *world) named(tenant, name string) vault.Subject {
	w.Helper()
	s, key := withName(name)
	w.commit(tenant, vault.LinkSubject{Subject: vault.SubjectUse{Subject: s, New: true}, Keys: []vault.DataKey{key}})
	return s
}

// sealedNames reads names, in order.
func (w *world) sealedNames(tenant string, scopeIDs, refs []string) []vault.SealedName {
	w.Helper()
	got, err := w.Requests.Names(w.ctx, tenant, scopeIDs, refs)
	w.no(err)
	slices.SortFunc(got, func(a, b vault.SealedName) int {
		return strings.Compare(a.ScopeID+a.SubjectRef, b.ScopeID+b.SubjectRef)
	})
	return got
}

func scopeName(s vault.Scope) vault.SealedName {
	return vault.SealedName{ScopeID: s.ID, KeyID: s.NameKeyID, Sealed: s.SealedName}
}

func subjectName(s vault.Subject) vault.SealedName {
	return vault.SealedName{SubjectRef: s.Ref, KeyID: s.NameKeyID, Sealed: s.SealedName}
}

func nameRoundTrip(w *world) {
	p := w.place("acme")
	bare := NewPlace("acme", "bare", w.now())
	bare.Scope.SealedName, bare.Scope.NameKeyID = nil, ""
	w.commit("acme", vault.OpenScope{Scope: bare.Scope})
	ann, bob := w.named("acme", "ann"), w.known("acme", "bob")
	// Beside a value, whose key it may share.
	eve, key := withName("eve")
	eve.SealedName = []byte("\x00\xff sealed")
	m := p.Value("hers")
	m.Mapping.KeyID, m.SubjectRefs = key.ID, []string{eve.Ref}
	effect := about(p, []vault.SubjectUse{{Subject: eve, New: true}}, m)
	effect.Keys = []vault.DataKey{key}
	w.commit("acme", effect)
	// Beside no value: the key is kept for the name alone.
	frank, franks := withName("frank")
	effect = about(p, []vault.SubjectUse{{Subject: frank, New: true}})
	effect.Keys = []vault.DataKey{franks, keyOf(frank)}
	w.commit("acme", effect)
	for _, s := range []*vault.Subject{&ann, &bob, &eve, &frank} {
		s.CreatedAt = w.now()
	}
	got, err := w.Store.Subjects(w.ctx, "acme", []vault.Digest{ann.Digest, bob.Digest, eve.Digest, frank.Digest})
	w.no(err)
	byRef := cmpopts.SortSlices(func(a, b vault.Subject) bool { return a.Ref < b.Ref })
	if diff := cmp.Diff([]vault.Subject{ann, bob, eve, frank}, got, byRef); diff != "" {
		w.Error(diff)
	}
	want := []vault.SealedName{scopeName(p.Scope), subjectName(ann), subjectName(eve), subjectName(frank)}
	slices.SortFunc(want, func(a, b vault.SealedName) int {
		return strings.Compare(a.ScopeID+a.SubjectRef, b.ScopeID+b.SubjectRef)
	})
	names := w.sealedNames("acme", []string{bare.Scope.ID, p.Scope.ID, "none"}, []string{ann.Ref, bob.Ref, eve.Ref, frank.Ref, "none", p.Scope.ID})
	if diff := cmp.Diff(want, names); diff != "" {
		w.Error(diff)
	}
	if got := w.sealedNames("acme", nil, nil); len(got) != 0 {
		w.Errorf("of nobody: %+v", got)
	}
	if diff := cmp.Diff([]vault.SealedName{subjectName(ann)}, w.sealedNames("acme", nil, []string{ann.Ref})); diff != "" {
		w.Error(diff)
	}
	for owner, n := range map[string]int{ann.Ref: 1, bob.Ref: 0, eve.Ref: 1, frank.Ref: 1} {
		keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{SubjectRef: owner})
		w.no(err)
		if len(keys) != n {
			w.Errorf("%d keys of a person, want %d", len(keys), n)
		}
	}
}

func nameKeys(w *world) {
	p := w.place("acme")
	ann := w.named("acme", "ann")
	m := p.Value("v")
	refused := func(what string, s vault.Subject, keys ...vault.DataKey) {
		w.Helper()
		before := w.size("acme")
		use := vault.SubjectUse{Subject: s, New: true}
		tokenize := about(p, []vault.SubjectUse{use}, m)
		tokenize.Keys = keys
		for _, effect := range []vault.Effect{vault.LinkSubject{Subject: use, Keys: keys}, tokenize} {
			if _, err := w.try("acme", effect); err == nil || w.size("acme") != before {
				w.Errorf("%T of a name %s: %v", effect, what, err)
			}
		}
		if known, err := w.Store.Subjects(w.ctx, "acme", []vault.Digest{s.Digest}); err != nil || len(known) != 0 {
			w.Errorf("%s: the person is known, %v", what, err)
		}
	}
	bob, key := withName("bob")
	refused("under a key that is not there", bob)
	refused("under a key of somebody else", bob, vault.DataKey{ID: key.ID, SubjectRef: ann.Ref, Wrapped: key.Wrapped})
	refused("under a key of a scope", bob, vault.DataKey{ID: key.ID, ScopeID: p.Scope.ID, Wrapped: key.Wrapped})
	spoilt := bob
	spoilt.NameKeyID = ann.NameKeyID
	refused("under the standing key of somebody else", spoilt)
	spoilt.NameKeyID = p.Key.ID
	refused("under the standing key of a scope", spoilt)
	spoilt = bob
	spoilt.NameKeyID = ""
	refused("under no key", spoilt, key)
	w.commit("acme", vault.RaiseWrapMinimum{Version: 4})
	use := vault.LinkSubject{Subject: vault.SubjectUse{Subject: bob, New: true}, Keys: []vault.DataKey{key}}
	w.refuse(vault.ErrWrapVersion, "acme", use)
	use.Keys[0].Wrapped = wrappedAt(4)
	w.commit("acme", use)
	w.link("acme", bob, m) // who is known keeps the name
	if diff := cmp.Diff([]vault.SealedName{subjectName(bob)}, w.sealedNames("acme", nil, []string{bob.Ref})); diff != "" {
		w.Errorf("after a tie: %s", diff)
	}
}

func (w *world) restoreNames(tenant string, want error, refs ...vault.NameRef) {
	w.Helper()
	if want != nil {
		w.refuse(want, tenant, vault.Restore{Names: refs})
		return
	}
	w.commit(tenant, vault.Restore{Names: refs})
}

func nameRestored(w *world) {
	p := w.place("acme")
	ann, bob := w.named("acme", "ann"), w.known("acme", "bob")
	m := p.Value("v")
	w.keep(p, m)
	scope, hers := vault.NameRef{ScopeID: p.Scope.ID, KeyID: p.Key.ID}, vault.NameRef{SubjectRef: ann.Ref, KeyID: ann.NameKeyID}
	w.restoreNames("acme", nil, scope, hers)
	w.restoreNames("acme", nil, hers)
	for _, wrong := range []vault.NameRef{
		{ScopeID: p.Scope.ID, KeyID: ann.NameKeyID}, {SubjectRef: ann.Ref, KeyID: p.Key.ID}, {SubjectRef: ann.Ref},
		{ScopeID: "none", KeyID: p.Key.ID}, {SubjectRef: "none", KeyID: p.Key.ID}, {KeyID: p.Key.ID},
		{SubjectRef: bob.Ref, KeyID: ann.NameKeyID}, {SubjectRef: bob.Ref}, {SubjectRef: p.Scope.ID, KeyID: p.Key.ID},
	} {
		w.restoreNames("acme", vault.ErrConflict, hers, wrong)
		both := p.Restore(m)
		both.Names = []vault.NameRef{wrong}
		w.refuse(vault.ErrConflict, "acme", both)
	}
	both := p.Restore(m, p.Value("none"))
	both.Names = []vault.NameRef{hers}
	w.refuse(vault.ErrConflict, "acme", both)
	both.Refs = both.Refs[:1]
	w.commit("acme", both)
	w.commit("acme", vault.SetTenant{State: vault.TenantSuspended})
	w.restoreNames("acme", vault.ErrSuspended, hers)
	w.commit("acme", vault.SetTenant{State: vault.TenantActive})
	w.commit("acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
	w.restoreNames("acme", vault.ErrConflict, scope)
	w.restoreNames("acme", nil, hers)
	w.commit("acme", vault.DestroyKeys{Keys: []string{ann.NameKeyID}})
	w.restoreNames("acme", vault.ErrConflict, hers)
	if got := w.sealedNames("acme", []string{p.Scope.ID}, nil); len(got) != 0 {
		w.Errorf("of a scope whose key was destroyed: %+v", got)
	}
	w.CheckLog("acme")
}

func nameKeyStands(w *world) {
	p := w.place("acme")
	ann, key := withName("ann")
	m := p.Value("hers")
	m.Mapping.KeyID, m.SubjectRefs = key.ID, []string{ann.Ref}
	effect := about(p, []vault.SubjectUse{{Subject: ann, New: true}}, m)
	effect.Keys = []vault.DataKey{key}
	w.commit("acme", effect)
	w.clock.Advance(2 * ttl)
	if m, k, s := w.sweepUntilDone("acme", 10); m != 1 || k != 0 || s != 0 {
		w.Errorf("%d mappings, %d keys, %d scopes were swept; want the value alone", m, k, s)
	}
	w.refuse(vault.ErrConflict, "acme", vault.Sweep{Keys: []string{key.ID}})
	w.restoreNames("acme", nil, vault.NameRef{SubjectRef: ann.Ref, KeyID: key.ID})
}

func nameErased(w *world) {
	e := w.estate("acme")
	ann, key := withName("ann the second")
	m := e.q.Value("hers, too")
	m.Mapping.KeyID, m.SubjectRefs = key.ID, []string{ann.Ref}
	effect := about(e.q, []vault.SubjectUse{{Subject: ann, New: true}}, m)
	effect.Keys = []vault.DataKey{key}
	w.commit("acme", effect)
	read := vault.NameRef{SubjectRef: ann.Ref, KeyID: key.ID}
	planned := erasing(erasureOf(ann), w.plan("acme", erasureOf(ann)))
	if len(planned.Keys) != 1 || len(planned.Names)+len(planned.Reseal) != 0 {
		w.Errorf("planned: %+v", planned)
	}
	w.commit("acme", planned)
	w.restoreNames("acme", vault.ErrConflict, read)
	if got := w.sealedNames("acme", nil, []string{ann.Ref}); len(got) != 0 || w.stands("acme", key.ID) != 0 {
		w.Errorf("after the erasure: %+v", got)
	}
	// One who has nothing but a name.
	bob := w.named("acme", "bob the second")
	if got, _ := w.erase("acme", erasureOf(bob)); got.State != vault.ErasureCompleted || got.Counts.Keys != 1 {
		w.Errorf("of a name: %+v", got)
	}
	w.restoreNames("acme", vault.ErrConflict, vault.NameRef{SubjectRef: bob.Ref, KeyID: bob.NameKeyID})
	// What a hold keeps waits; the name, under a key that seals none of it, does not.
	eve, eves := withName("eve")
	m = e.q.Value("of eve")
	m.SubjectRefs = []string{eve.Ref}
	effect = about(e.q, []vault.SubjectUse{{Subject: eve, New: true}}, m)
	effect.Keys = []vault.DataKey{eves}
	w.commit("acme", effect)
	w.hold("acme", onValue(m))
	if got, _ := w.erase("acme", erasureOf(eve)); got.State != vault.ErasureDeferred {
		w.Errorf("with a hold: %+v", got)
	}
	w.restores(e.q, m, true)
	w.restoreNames("acme", vault.ErrConflict, vault.NameRef{SubjectRef: eve.Ref, KeyID: eves.ID})
	if got := w.sealedNames("acme", nil, []string{eve.Ref}); len(got) != 0 || w.stands("acme", eves.ID) != 0 {
		w.Errorf("after an erasure that is deferred: %+v", got)
	}
	// The name of a scope that is sealed anew is restored as it is now.
	of := vault.NameRef{ScopeID: e.p.Scope.ID, KeyID: e.p.Key.ID}
	w.restoreNames("acme", nil, of)
	w.erase("acme", erasureOf(e.ann))
	w.restoreNames("acme", vault.ErrConflict, of)
	scope, err := w.Store.Scope(w.ctx, "acme", e.p.Scope.Digest)
	w.no(err)
	of.KeyID = scope.NameKeyID
	w.restoreNames("acme", nil, of)
	if diff := cmp.Diff([]vault.SealedName{scopeName(scope)}, w.sealedNames("acme", []string{e.p.Scope.ID}, nil)); diff != "" {
		w.Error(diff)
	}
}

func nameForeign(w *world) {
	p := w.place("acme")
	ann := w.named("acme", "ann")
	w.tenant("Acme")
	if got := w.sealedNames("Acme", []string{p.Scope.ID}, []string{ann.Ref}); len(got) != 0 {
		w.Errorf("another tenant reads %+v", got)
	}
	w.restoreNames("Acme", vault.ErrConflict, vault.NameRef{SubjectRef: ann.Ref, KeyID: ann.NameKeyID})
	w.restoreNames("Acme", vault.ErrConflict, vault.NameRef{ScopeID: p.Scope.ID, KeyID: p.Key.ID})
	bob, _ := withName("bob")
	bob.NameKeyID = ann.NameKeyID
	before := w.size("Acme")
	if _, err := w.try("Acme", vault.LinkSubject{Subject: vault.SubjectUse{Subject: bob, New: true}}); err == nil || w.size("Acme") != before {
		w.Errorf("a name under a key of another tenant: %v", err)
	}
	w.clock.Advance(time.Second)
	w.restoreNames("acme", nil, vault.NameRef{SubjectRef: ann.Ref, KeyID: ann.NameKeyID})
}
