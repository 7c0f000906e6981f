package storagetest

import (
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var subjectClauses = []clause{
	{"subjects/are made once and read back", subjectsOnce},
	{"subjects/a change needs them as they were read", subjectsMoved},
	{"subjects/values are linked, also when they are found again", subjectLinks},
}

func person(name string) vault.Subject {
	return vault.Subject{Digest: Digest("subject", name), IndexVersion: 1, Ref: vault.NewID()}
}

// about keeps values that are about subjects.
func about(p Place, uses []vault.SubjectUse, values ...vault.NewMapping) vault.Tokenize {
	effect := p.Tokenize(values...)
	effect.Subjects = uses
	return effect
}

func subjectsOnce(w *world) {
	p := w.place("acme")
	ann, bob := person("ann"), person("bob")
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: ann, New: true}, {Subject: bob, New: true}}))
	ann.CreatedAt, bob.CreatedAt = w.now(), w.now()
	got, err := w.Store.Subjects(w.ctx, "acme", []vault.Digest{bob.Digest, Digest("nobody"), ann.Digest, ann.Digest})
	w.no(err)
	byRef := cmpopts.SortSlices(func(a, b vault.Subject) bool { return a.Ref < b.Ref })
	if diff := cmp.Diff([]vault.Subject{ann, bob}, got, byRef); diff != "" {
		w.Error(diff)
	}
	if got, err := w.Store.Subjects(w.ctx, "acme", nil); err != nil || len(got) != 0 {
		w.Errorf("no digests read %d subjects, %v", len(got), err)
	}
}

func subjectsMoved(w *world) {
	p := w.place("acme")
	ann := person("ann")
	use := func(s vault.Subject, isNew bool) vault.Tokenize {
		return about(p, []vault.SubjectUse{{Subject: s, New: isNew}}, p.Value("v"))
	}
	w.refuse(vault.ErrConflict, "acme", use(ann, false))
	w.commit("acme", use(ann, true))
	w.refuse(vault.ErrConflict, "acme", use(ann, true))
	w.refuse(vault.ErrConflict, "acme", use(person("ann"), true))
	w.refuse(vault.ErrConflict, "acme", use(person("ann"), false))
	sameRef := person("bob")
	sameRef.Ref = ann.Ref
	w.refuse(vault.ErrConflict, "acme", use(sameRef, true))
	w.commit("acme", use(ann, false))
}

func subjectLinks(w *world) {
	p := w.place("acme")
	ann, bob := person("ann"), person("bob")
	m := p.Value("v")
	m.SubjectRefs = []string{ann.Ref}
	key := vault.DataKey{ID: vault.NewID(), SubjectRef: ann.Ref, Wrapped: wrapped("ann")}
	m.Mapping.KeyID = key.ID
	effect := about(p, []vault.SubjectUse{{Subject: ann, New: true}}, m)
	effect.Keys = []vault.DataKey{key}
	w.commit("acme", effect)
	again := p.Value("v")
	again.SubjectRefs = []string{bob.Ref, ann.Ref}
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: ann}, {Subject: bob, New: true}}, again))
	got := w.read(p, m.Mapping.TokenID)[m.Mapping.TokenID].SubjectRefs
	want := []string{ann.Ref, bob.Ref}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		w.Error(diff)
	}
	keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{SubjectRef: ann.Ref})
	w.no(err)
	if len(keys) != 1 || keys[0].ID != key.ID || keys[0].Sealed != 1 {
		w.Errorf("the subject's keys: %+v", keys)
	}
}
