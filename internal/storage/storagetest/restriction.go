package storagetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var restrictionClauses = []clause{
	{"restriction/is of what is about the person alone, until it is lifted", restrictedAlone},
	{"restriction/what is restricted is restored only by what reaches it, and not found again", restrictedReached},
	{"restriction/is of what lives when it is put on", restrictedLiving},
	{"restriction/where its request is another now it does nothing", restrictedRefused},
	{"restriction/what came to be about somebody else too stays as it is", liftedShared},
	{"Invariant4/of a value with a newer live token the older is retired", liftedReplaced},
	{"restriction/a token whose replacement was erased lives again", liftedErased},
	{"Invariant8/what a deferred erasure restricted is not lifted", liftedDeferred},
	{"Invariant6/a restriction in one tenant leaves the others alone", restrictedForeign},
}

// restrict opens a request and restricts what is a person's.
func (w *world) restrict(tenant string, s vault.Subject) (vault.SubjectRequest, vault.Committed) {
	w.Helper()
	r := w.open(tenant, w.request(vault.RequestRestriction, s))
	r.State, r.SubjectRef = vault.StateRunning, s.Ref
	c := w.commit(tenant, vault.Restrict{SubjectRef: s.Ref, Request: r})
	return w.requested(tenant, r.ID), c
}

// lift undoes a restriction and closes its request.
func (w *world) lift(tenant string, s vault.Subject, r vault.SubjectRequest) vault.Committed {
	w.Helper()
	r.State = vault.StateCompleted
	return w.commit(tenant, vault.LiftRestriction{SubjectRef: s.Ref, Request: r})
}

// changed checks how many mappings a restriction or its end changed.
func (w *world) changed(what string, c vault.Committed, restricted, shared int) {
	w.Helper()
	if c.Outcome.Restricted != restricted || c.Outcome.Shared != shared {
		w.Errorf("%s: %d were changed and %d are shared, want %d and %d", what, c.Outcome.Restricted, c.Outcome.Shared, restricted, shared)
	}
}

func restrictedAlone(w *world) {
	e := w.estate("acme")
	opened := w.open("acme", w.request(vault.RequestRestriction, e.ann))
	w.clock.Advance(time.Second)
	given := opened
	given.State, given.SubjectRef, given.Assignee, given.Kind = vault.StateRunning, e.ann.Ref, "officer-1", vault.RequestAccess
	c := w.commit("acme", vault.Restrict{SubjectRef: e.ann.Ref, Request: given})
	w.changed("restricted", c, 3, 1)
	want := opened
	want.Revision, want.State, want.SubjectRef, want.Assignee = 2, given.State, given.SubjectRef, given.Assignee
	w.sameRequest("restricted", want, w.requested("acme", opened.ID))
	for state, check := range map[vault.MappingState]func(){vault.MappingRestricted: func() {}, vault.MappingLive: func() {
		lifted := want
		lifted.State = vault.StateCompleted
		c = w.commit("acme", vault.LiftRestriction{SubjectRef: e.ann.Ref, Request: lifted})
		w.changed("lifted", c, 3, 0)
		want.Revision, want.State, want.ClosedAt, want.Subject = 3, vault.StateCompleted, w.now(), vault.Digest{}
		w.sameRequest("lifted", want, w.requested("acme", opened.ID))
	}} {
		_ = state
		_ = check
	}
	w.CheckLog("acme")
}
