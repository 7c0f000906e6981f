package storagetest

import (
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var tenantClauses = []clause{
	{"tenants/an unknown tenant has nothing and takes nothing", unknownTenant},
	{"tenants/a tenant is made once", tenantOnce},
	{"tenants/names and keys come back as they were written", tenantsAndKeys},
	{"Invariant6/no read gives another tenant's rows", foreignReads},
	{"Invariant6/no change reaches another tenant's rows", foreignChanges},
}

func unknownTenant(w *world) {
	w.tenant("acme")
	p := NewPlace("globex", "x", w.now())
	for _, effect := range []vault.Effect{
		vault.Record{}, p.Open(), p.Tokenize(), vault.Restore{}, vault.Sweep{}, vault.DestroyKeys{},
		vault.PlaceHold{}, vault.ReviewHold{}, vault.ReleaseHold{}, vault.CloseScope{},
		vault.Erase{}, vault.LinkSubject{}, vault.UnlinkSubject{}, vault.OpenRequest{}, vault.UpdateRequest{}, vault.NoteRequest{},
		vault.Restrict{}, vault.LiftRestriction{}, vault.RetireVersions{}, vault.Finality{}, vault.Replay{}, vault.Move{},
		vault.OpenProceeding{Proceeding: review("mia", w.now())}, altering(review("mia", w.now())),
	} {
		w.refuse(vault.ErrUnknownTenant, "globex", effect)
	}
	_, err := w.Ledger.Head(w.ctx, "globex")
	w.is(err, vault.ErrUnknownTenant)
	w.is(w.Books.Note(w.ctx, "globex", vault.Note{Kind: vault.NoteCheckpoint}), vault.ErrUnknownTenant)
	_, err = w.Books.LastNote(w.ctx, "globex", vault.NoteCheckpoint)
	w.is(err, vault.ErrNotFound)
	_, err = w.Store.Scope(w.ctx, "globex", p.Scope.Digest)
	w.is(err, vault.ErrNotFound)
	keys, err := w.Registry.TenantKeys(w.ctx, "globex")
	w.no(err)
	entries, err := w.Ledger.Entries(w.ctx, "globex", vault.EntryQuery{})
	w.no(err)
	if len(keys) != 0 || len(entries) != 0 {
		w.Errorf("an unknown tenant has %d keys and %d entries", len(keys), len(entries))
	}
}

func tenantOnce(w *world) {
	w.tenant("acme")
	before, err := w.Registry.TenantKeys(w.ctx, "acme")
	w.no(err)
	w.refuse(vault.ErrConflict, "acme", Provision())
	after, err := w.Registry.TenantKeys(w.ctx, "acme")
	w.no(err)
	if diff := cmp.Diff(before, after); diff != "" {
		w.Errorf("a refused provision changed the keys: %s", diff)
	}
}

func tenantsAndKeys(w *world) {
	p := Provision()
	p.Keys = append(p.Keys, vault.TenantKey{ID: vault.NewID(), Purpose: vault.PurposeIndex, Version: 2, Wrapped: wrapped("index 2")})
	for _, name := range []string{"b", vault.SystemTenant, "B", "a-b"} {
		w.commit(name, p) // the ids of keys are a tenant's own
	}
	got, err := w.Registry.Tenants(w.ctx)
	w.no(err)
	var names []string
	for _, t := range got {
		names = append(names, t.Name)
		if !t.CreatedAt.Equal(w.now()) {
			w.Errorf("%s was made at %v, want %v", t.Name, t.CreatedAt, w.now())
		}
	}
	if want := []string{"B", vault.SystemTenant, "a-b", "b"}; !slices.Equal(names, want) {
		w.Errorf("got tenants %q, want %q", names, want)
	}
	keys, err := w.Registry.TenantKeys(w.ctx, "b")
	w.no(err)
	if len(keys) == 0 || keys[0].Version != 2 {
		w.Errorf("the newest version is not the first of %d keys", len(keys))
	}
	for i := range p.Keys {
		p.Keys[i].CreatedAt = w.now()
	}
	byID := cmpopts.SortSlices(func(a, b vault.TenantKey) bool { return a.ID < b.ID })
	if diff := cmp.Diff(p.Keys, keys, byID, cmpopts.EquateEmpty()); diff != "" {
		w.Error(diff)
	}
}

// twins makes two tenants whose names differ only in case, with one value each
// under the same ids and digests. What differs is the ciphertext.
func (w *world) twins() (mine, theirs Place, value vault.NewMapping) {
	w.Helper()
	return w.twinsOf("acme", "Acme")
}

func (w *world) twinsOf(tenant, other string) (mine, theirs Place, value vault.NewMapping) {
	w.Helper()
	mine = w.place(tenant)
	value = mine.Value("v")
	subject := vault.SubjectUse{New: true, Subject: vault.Subject{Digest: Digest("p"), IndexVersion: 1, Ref: vault.NewID()}}
	value.SubjectRefs = []string{subject.Subject.Ref}
	theirs = mine
	theirs.Tenant = other
	w.tenant(other)
	w.commit(other, theirs.Open())
	for _, p := range []Place{mine, theirs} {
		m := value
		m.Mapping.Sealed = []byte("of " + p.Tenant)
		// Under the key of the scope: a subject's would be another test.
		w.commit(p.Tenant, vault.Tokenize{Scope: p.Scope, Subjects: []vault.SubjectUse{subject}, Mappings: []vault.NewMapping{m}})
	}
	return mine, theirs, value
}

func foreignReads(w *world) {
	mine, theirs, value := w.twins()
	for _, p := range []Place{mine, theirs} {
		got := w.read(p, value.Mapping.TokenID)
		if m := got[value.Mapping.TokenID]; len(got) != 1 || string(m.Sealed) != "of "+p.Tenant {
			w.Errorf("%s reads %d mappings, sealed %q", p.Tenant, len(got), m.Sealed)
		}
		entries, err := w.Ledger.Entries(w.ctx, p.Tenant, vault.EntryQuery{Token: value.Mapping.TokenID})
		w.no(err)
		if len(entries) != 1 {
			w.Errorf("%s finds %d entries of its token, want 1", p.Tenant, len(entries))
		}
	}
	// A third has the ids of both, and nothing of theirs.
	w.tenant("aCME")
	other := mine
	other.Tenant = "aCME"
	w.hasNothing(other, value)
}

// hasNothing checks that a tenant reads nothing under the ids of another.
func (w *world) hasNothing(p Place, value vault.NewMapping) {
	w.Helper()
	_, err := w.Store.Scope(w.ctx, p.Tenant, p.Scope.Digest)
	w.is(err, vault.ErrNotFound)
	subjects, err := w.Store.Subjects(w.ctx, p.Tenant, []vault.Digest{Digest("p")})
	w.no(err)
	rows := len(w.read(p, value.Mapping.TokenID)) + len(subjects)
	for _, q := range []vault.KeyQuery{{IDs: []string{p.Key.ID}}, {ScopeID: p.Scope.ID}, {SubjectRef: value.SubjectRefs[0]}} {
		keys, err := w.Store.Keys(w.ctx, p.Tenant, q)
		w.no(err)
		rows += len(keys)
	}
	w.clock.Advance(2 * ttl)
	sweep, err := w.Registry.Expired(w.ctx, p.Tenant, 10)
	w.no(err)
	if rows += len(sweep.Mappings); rows != 0 {
		w.Errorf("%q reads %d rows of another tenant", p.Tenant, rows)
	}
}

func foreignChanges(w *world) {
	mine, _, value := w.twins()
	w.tenant("globex")
	other := mine
	other.Tenant = "globex"
	w.refuse(vault.ErrConflict, "globex", other.Restore(value))
	w.refuse(vault.ErrScopeMoved, "globex", other.Tokenize(value))
	w.refuse(vault.ErrConflict, "globex", vault.DestroyKeys{Keys: []string{mine.Key.ID}})
	w.clock.Advance(2 * ttl)
	w.refuse(vault.ErrConflict, "globex", other.Sweep(value))
	w.commit("acme", mine.Sweep(value))
	twin := mine
	twin.Tenant = "Acme"
	if got := w.read(twin, value.Mapping.TokenID); len(got) != 1 {
		w.Error("a sweep of one tenant destroyed the mapping of another")
	}
}
