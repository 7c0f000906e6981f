package storagetest

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// estate is a tenant that has values of two people: some under keys of their
// own, some beside others under the key of a scope, which seals its name, too.
type estate struct {
	*world
	tenant    string
	p, q      Place
	ann, bob  vault.Subject
	own, bobs vault.DataKey // of ann and of bob

	hers  vault.NewMapping // in p, under ann's own key
	there vault.NewMapping // in q, under ann's own key
	tied  vault.NewMapping // in p, ann's, under the key of the scope
	both  vault.NewMapping // in p, ann's and bob's, under the key of the scope
	near  vault.NewMapping // in p, nobody's, under the key of the scope
	far   vault.NewMapping // in q, nobody's, under the key of the scope
	his   vault.NewMapping // in q, under bob's own key
}

func (w *world) estate(tenant string) *estate {
	w.Helper()
	e := &estate{
		world: w, tenant: tenant, ann: person("ann"), bob: person("bob"),
		p: NewPlace(tenant, "p", w.now()), q: NewPlace(tenant, "q", w.now()),
	}
	e.own, e.bobs = keyOf(e.ann), keyOf(e.bob)
	e.hers, e.tied, e.both, e.near = e.p.Value("hers"), e.p.Value("tied"), e.p.Value("both"), e.p.Value("near")
	e.there, e.far, e.his = e.q.Value("there"), e.q.Value("far"), e.q.Value("his")
	e.hers.Mapping.KeyID, e.there.Mapping.KeyID, e.his.Mapping.KeyID = e.own.ID, e.own.ID, e.bobs.ID
	for _, m := range []*vault.NewMapping{&e.hers, &e.there, &e.tied} {
		m.SubjectRefs = []string{e.ann.Ref}
	}
	e.his.SubjectRefs, e.both.SubjectRefs = []string{e.bob.Ref}, []string{e.ann.Ref, e.bob.Ref}
	e.build()
	return e
}

// build makes the tenant of an estate and all that it has.
func (e *estate) build() {
	e.Helper()
	e.commit(e.tenant, Provision())
	e.commit(e.tenant, e.p.Open())
	e.commit(e.tenant, e.q.Open())
	first := about(e.p, []vault.SubjectUse{{Subject: e.ann, New: true}, {Subject: e.bob, New: true}}, e.hers, e.tied, e.both, e.near)
	first.Keys = []vault.DataKey{e.own}
	e.commit(e.tenant, first)
	second := about(e.q, []vault.SubjectUse{{Subject: e.ann}, {Subject: e.bob}}, e.there, e.far, e.his)
	second.Keys = []vault.DataKey{e.bobs}
	e.commit(e.tenant, second)
}

// copied makes a tenant that has the same data under the same ids.
func (e *estate) copied(tenant string) *estate {
	e.Helper()
	c := *e
	c.tenant, c.p.Tenant, c.q.Tenant = tenant, tenant, tenant
	c.build()
	return &c
}

// keyOf is a fresh key of a person.
func keyOf(s vault.Subject) vault.DataKey {
	return vault.DataKey{ID: vault.NewID(), SubjectRef: s.Ref, Wrapped: wrapped("key")}
}

// erasureOf is an erasure of a person as it is asked for.
func erasureOf(s vault.Subject) vault.Erasure {
	return vault.Erasure{
		Subject: s.Digest, SubjectRef: s.Ref, Reference: "R-7", Regime: "gdpr",
		Identity: vault.IdentityCheck{
			Method: "passport", Reference: "I-1", VerifiedBy: "officer-1", At: start.UTC().Truncate(time.Microsecond).Add(-time.Hour),
		},
	}
}

// plan reads what an erasure would touch.
func (w *world) plan(tenant string, of vault.Erasure) vault.ErasurePlan {
	w.Helper()
	plan, err := w.Erasures.PlanErasure(w.ctx, tenant, of.SubjectRef, of.ErasedAt, vault.MaxReseals)
	w.no(err)
	return plan
}

// erasing is the effect of a plan: what stays is sealed under fresh keys of
// those to whom it belongs then, one for each.
func erasing(of vault.Erasure, plan vault.ErasurePlan) vault.Erase {
	e := vault.Erase{Erasure: of, Keys: plan.Keys}
	fresh := make(map[[2]string]string)
	to := func(scopeID, subjectRef string) string {
		owner := [2]string{scopeID, subjectRef}
		if fresh[owner] == "" {
			fresh[owner] = vault.NewID()
			e.Fresh = append(e.Fresh, vault.DataKey{ID: fresh[owner], ScopeID: scopeID, SubjectRef: subjectRef, Wrapped: wrapped("key")})
		}
		return fresh[owner]
	}
	for _, m := range plan.Survivors {
		ref, scopeID := "", m.ScopeID
		for _, r := range m.SubjectRefs {
			if ref == "" || ref == of.SubjectRef {
				ref, scopeID = r, ""
			}
		}
		e.Reseal = append(e.Reseal, vault.Resealed{
			ScopeID: m.ScopeID, TokenID: m.TokenID, From: m.KeyID, To: to(scopeID, ref), Sealed: []byte("again " + string(m.Sealed)),
		})
	}
	for _, s := range plan.Names {
		e.Names = append(e.Names, vault.ResealedName{
			ScopeID: s.ID, From: s.NameKeyID, To: to(s.ID, ""), Sealed: []byte("again " + string(s.SealedName)),
		})
	}
	return e
}

// erase plans and commits an erasure, or goes on with one, and returns it as it
// stands, with what the commit did.
func (w *world) erase(tenant string, of vault.Erasure) (vault.Erasure, vault.Committed) {
	w.Helper()
	change := Change(w, tenant, erasing(of, w.plan(tenant, of)))
	c, err := w.Store.Commit(w.ctx, tenant, change)
	w.no(err)
	id := of.ID
	if id == "" {
		id = change.ID()
	}
	return w.erasure(tenant, id), c
}

func (w *world) erasure(tenant, id string) vault.Erasure {
	w.Helper()
	got, err := w.Erasures.Erasures(w.ctx, tenant, vault.ErasureQuery{ID: id})
	w.no(err)
	if len(got) != 1 {
		w.Fatalf("%d erasures of an id", len(got))
	}
	return got[0]
}

// in names the mapping of a value in a place, as it stands.
func (w *world) in(p Place, m vault.NewMapping) vault.Mapping {
	w.Helper()
	return w.read(p, m.Mapping.TokenID)[m.Mapping.TokenID]
}

// restores checks whether a value can be restored as it stands, also for
// reasons that reach everything.
func (w *world) restores(p Place, m vault.NewMapping, want bool) {
	w.Helper()
	effect := p.Restore(m)
	effect.Refs[0].KeyID = w.in(p, m).KeyID
	effect.Refs[0].Restricted, effect.Refs[0].Expired = true, true
	if want {
		w.commit(p.Tenant, effect)
		return
	}
	w.refuse(vault.ErrConflict, p.Tenant, effect)
	effect.Refs[0].KeyID = m.Mapping.KeyID
	w.refuse(vault.ErrConflict, p.Tenant, effect)
}

// picture is all that can be read of an estate.
type picture struct {
	Size     int64
	Subjects []vault.Subject
	Scopes   []vault.Scope
	Keys     []vault.DataKey
	Mappings []vault.Mapping
	Erasures []vault.Erasure
	Sweep    vault.Sweep
}

func (e *estate) picture() (now picture) {
	e.Helper()
	var err error
	now.Size = e.size(e.tenant)
	now.Subjects, err = e.Store.Subjects(e.ctx, e.tenant, []vault.Digest{e.ann.Digest, e.bob.Digest})
	e.no(err)
	for _, p := range []Place{e.p, e.q} {
		scopes, err := e.Custody.Scopes(e.ctx, e.tenant, p.Scope.Digest)
		e.no(err)
		now.Scopes = append(now.Scopes, scopes...)
		for _, m := range []vault.NewMapping{e.hers, e.there, e.tied, e.both, e.near, e.far, e.his} {
			for _, m := range e.read(p, m.Mapping.TokenID) {
				slices.Sort(m.SubjectRefs)
				now.Mappings = append(now.Mappings, m)
			}
		}
	}
	for _, q := range []vault.KeyQuery{
		{ScopeID: e.p.Scope.ID, Limit: 100}, {ScopeID: e.q.Scope.ID, Limit: 100},
		{SubjectRef: e.ann.Ref, Limit: 100}, {SubjectRef: e.bob.Ref, Limit: 100},
	} {
		keys, err := e.Store.Keys(e.ctx, e.tenant, q)
		e.no(err)
		now.Keys = append(now.Keys, keys...)
	}
	now.Erasures, err = e.Erasures.Erasures(e.ctx, e.tenant, vault.ErasureQuery{})
	e.no(err)
	now.Sweep, err = e.Registry.Expired(e.ctx, e.tenant, 1000)
	e.no(err)
	slices.SortFunc(now.Sweep.Mappings, func(a, b vault.MappingRef) int { return strings.Compare(a.TokenID, b.TokenID) })
	return now
}

// unchanged checks that an effect is refused, with an error where one is named,
// and that nothing is other than before.
func (e *estate) unchanged(what string, want error, effect vault.Effect) {
	e.Helper()
	before := e.picture()
	if _, err := e.try(e.tenant, effect); err == nil || want != nil && !errors.Is(err, want) {
		e.Errorf("%s: got error %v, want %v", what, err, want)
	}
	bySubject := cmpopts.SortSlices(func(a, b vault.Subject) bool { return a.Ref < b.Ref })
	byKey := cmpopts.SortSlices(func(a, b vault.DataKey) bool { return cmp.Less(a.ID, b.ID) })
	if diff := gocmp.Diff(before, e.picture(), bySubject, byKey, cmpopts.EquateEmpty()); diff != "" {
		e.Errorf("%s: it was refused and did something: %s", what, diff)
	}
}
