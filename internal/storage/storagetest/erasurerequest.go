package storagetest

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var askedErasureClauses = []clause{
	{"requests/an erasure opens its request, and closes it", erasureOpens},
	{"requests/an erasure changes the request that asked for it, and has its id", erasureAsked},
	{"requests/one of an erasure that is deferred moves on with it", erasureMovesOn},
	{"requests/an erasure whose request is another now does nothing", erasureAskedRefused},
}

// asking is the effect of an erasure that a request asks for.
func (e *estate) asking(r vault.SubjectRequest) vault.Erase {
	e.Helper()
	effect := erasing(erasureOf(e.ann), e.plan(e.tenant, erasureOf(e.ann)))
	effect.Request = &r
	return effect
}

// asks is an open request of ann's for her erasure, by all that she is known by.
func (e *estate) asks() vault.SubjectRequest {
	r := e.request(vault.RequestErasure, e.ann)
	r.State, r.SubjectRef, r.Lookups, r.Assignee = vault.StateOpen, e.ann.Ref, lookupsOf(e.hers, e.tied), "officer-1"
	r.Identity = erasureOf(e.ann).Identity
	return r
}

func erasureOpens(w *world) {
	e := w.estate("acme")
	w.clock.Advance(time.Second)
	asked := e.asks()
	change := Change(w, "acme", e.asking(asked))
	_, err := w.Store.Commit(w.ctx, "acme", change)
	w.no(err)
	if got := w.erasure("acme", change.ID()); got.State != vault.ErasureCompleted || got.Counts.Erased != 3 {
		w.Errorf("the erasure: %+v", got)
	}
	want := asked
	want.ID, want.Revision, want.State, want.ClosedAt = change.ID(), 1, vault.StateCompleted, w.now()
	want.Subject, want.Lookups = vault.Digest{}, nil
	w.sameRequest("done at once", want, w.requested("acme", change.ID()))
	// Of nobody, too.
	r := w.request(vault.RequestErasure, person("nobody"))
	nobody := erasureOf(person("nobody"))
	nobody.SubjectRef = ""
	change = Change(w, "acme", vault.Erase{Erasure: nobody, Request: &r})
	_, err = w.Store.Commit(w.ctx, "acme", change)
	w.no(err)
	if got := w.requested("acme", change.ID()); got.State != vault.StateCompleted || got.Subject != (vault.Digest{}) {
		w.Errorf("of nobody: %+v", got)
	}
	w.CheckLog("acme")
}

func erasureAsked(w *world) {
	e := w.estate("acme")
	r := w.open("acme", e.asks())
	w.clock.Advance(time.Second)
	given := r
	given.Assignee, given.Kind, given.Reference = "officer-2", vault.RequestAccess, "R-8" // of which the last two stay
	w.commit("acme", e.asking(given))
	if got := w.erasure("acme", r.ID); got.State != vault.ErasureCompleted || !got.ErasedAt.Equal(w.now()) || got.Reference != "R-7" {
		w.Errorf("the erasure: %+v", got)
	}
	want := r
	want.Revision, want.State, want.ClosedAt, want.Assignee = 2, vault.StateCompleted, w.now(), "officer-2"
	want.Subject, want.Lookups = vault.Digest{}, nil
	w.sameRequest("what asked for it", want, w.requested("acme", r.ID))
	w.restores(e.p, e.hers, false)
}

func erasureMovesOn(w *world) {
	for _, tt := range []struct {
		tenant  string
		opened  bool // before the erasure
		between func(vault.SubjectRequest) vault.SubjectRequest
	}{
		{"acme", false, nil},
		{"globex", true, nil},
		{"initech", true, func(r vault.SubjectRequest) vault.SubjectRequest { r.Assignee = "officer-3"; return r }},
		{"umbrella", false, func(r vault.SubjectRequest) vault.SubjectRequest { r.State = vault.StateWithdrawn; return r }},
	} {
		e := w.estate(tt.tenant)
		hold := w.hold(tt.tenant, onValue(e.hers))
		asked := e.asks()
		if tt.opened {
			asked = w.open(tt.tenant, asked)
		}
		w.clock.Advance(time.Second)
		change := Change(w, tt.tenant, e.asking(asked))
		_, err := w.Store.Commit(w.ctx, tt.tenant, change)
		w.no(err)
		id := change.ID()
		if tt.opened {
			id = asked.ID
		}
		waits := w.erasure(tt.tenant, id)
		want := asked
		want.ID, want.Revision, want.State = id, asked.Revision+1, vault.StateDeferred
		w.sameRequest("with a hold", want, w.requested(tt.tenant, id))
		// A commit that takes nothing further leaves it deferred.
		w.erase(tt.tenant, waits)
		got := w.requested(tt.tenant, id)
		want.Revision = got.Revision
		w.sameRequest("still with a hold", want, got)
		if tt.between != nil {
			want = w.update(tt.tenant, tt.between(got))
		}
		w.release(tt.tenant, hold)
		w.clock.Advance(time.Second)
		w.erase(tt.tenant, waits)
		got = w.requested(tt.tenant, id)
		if !want.State.Closes() {
			if got.Revision <= want.Revision {
				w.Errorf("%s: the revision is %d after %d", tt.tenant, got.Revision, want.Revision)
			}
			want.Revision, want.State, want.ClosedAt = got.Revision, vault.StateCompleted, w.now()
			want.Subject, want.Lookups = vault.Digest{}, nil
		}
		w.sameRequest("after the release", want, got)
		w.restores(e.p, e.hers, false)
		w.CheckLog(tt.tenant)
	}
}

func erasureAskedRefused(w *world) {
	e := w.estate("acme")
	r := w.open("acme", e.asks())
	spoilt := func(spoil func(*vault.SubjectRequest)) vault.Erase {
		bad := r
		spoil(&bad)
		return e.asking(bad)
	}
	e.unchanged("of a revision before", vault.ErrConflict, spoilt(func(r *vault.SubjectRequest) { r.Revision = 0 }))
	e.unchanged("of a revision to come", vault.ErrConflict, spoilt(func(r *vault.SubjectRequest) { r.Revision = 2 }))
	e.unchanged("of one that is not there", vault.ErrConflict, spoilt(func(r *vault.SubjectRequest) { r.ID = "none" }))
	w.sameRequest("after what was refused", r, w.requested("acme", r.ID))
	late := e.asks()
	late.ReceivedAt = w.now().Add(time.Microsecond)
	e.unchanged("of one that is still to come", vault.ErrConflict, e.asking(late))
	// What is refused for the erasure's sake leaves the request as it was.
	moved := e.asking(r)
	w.keep(e.p, e.p.Value("more"))
	e.unchanged("after its plan", vault.ErrConflict, moved)
	moved.Request = nil
	fresh := e.asks()
	moved.Request = &fresh
	e.unchanged("after its plan, with a new request", vault.ErrConflict, moved)
	w.sameRequest("after those", r, w.requested("acme", r.ID))
	if got := w.requests("acme", vault.RequestQuery{}); len(got) != 1 {
		w.Errorf("%d requests are there, want 1", len(got))
	}
	closed := r
	closed.State = vault.StateWithdrawn
	closed = w.update("acme", closed)
	closed.State, closed.SubjectRef = vault.StateOpen, e.ann.Ref
	e.unchanged("of one that is closed", vault.ErrConflict, e.asking(closed))
	w.restores(e.p, e.hers, true)
}
