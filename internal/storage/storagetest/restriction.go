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
	{"restriction/is not lifted while another request restricts the same", liftedElsewhere},
	{"restriction/what came to be about somebody else too stays as it is", liftedShared},
	{"Invariant4/of a value with a newer live token the older is retired", liftedReplaced},
	{"Invariant4/of a value with two restricted tokens one lives again", liftedTwice},
	{"restriction/a token whose replacement was erased lives again", liftedErased},
	{"Invariant8/what a deferred erasure restricted is not lifted", liftedDeferred},
	{"restriction/in one window of it and a restoration the first decides", restrictedInOneWindow},
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

// object restricts what is a person's for an objection.
func (w *world) object(tenant string, s vault.Subject) vault.SubjectRequest {
	w.Helper()
	r := w.open(tenant, w.request(vault.RequestObjection, s))
	r.State, r.SubjectRef = vault.StateRunning, s.Ref
	w.commit(tenant, vault.Restrict{SubjectRef: s.Ref, Request: r})
	return w.requested(tenant, r.ID)
}

func liftedElsewhere(w *world) {
	e := w.estate("acme")
	first, _ := w.restrict("acme", e.ann)
	second := w.object("acme", e.ann)
	w.changed("the first", w.lift("acme", e.ann, first), 0, 0)
	e.alone("one restricts still", vault.MappingRestricted)
	if got := w.requested("acme", first.ID); got.State != vault.StateCompleted {
		w.Errorf("the first request is %s", got.State)
	}
	w.changed("the second", w.lift("acme", e.ann, second), 3, 0)
	e.alone("none restricts", vault.MappingLive)
	first, _ = w.restrict("acme", e.ann)
	upheld := w.object("acme", e.ann)
	upheld.State = vault.StateCompleted
	w.commit("acme", vault.UpdateRequest{Request: upheld})
	w.changed("beside one that was upheld", w.lift("acme", e.ann, first), 0, 0)
	e.alone("upheld", vault.MappingRestricted)
}

func restrictedAlone(w *world) {
	e := w.estate("acme")
	opened := w.open("acme", w.request(vault.RequestRestriction, e.ann))
	w.clock.Advance(time.Second)
	given := opened
	given.State, given.SubjectRef, given.Assignee, given.Kind = vault.StateRunning, e.ann.Ref, "officer-1", vault.RequestAccess
	c := w.commit("acme", vault.Restrict{SubjectRef: e.ann.Ref, Request: given})
	w.changed("restricted", c, 3, 1)
	e.alone("restricted", vault.MappingRestricted)
	w.restrictionEntry("acme", c, audit.KindRestrict, 3, 1)
	want := opened
	want.Revision, want.State, want.SubjectRef, want.Assignee = 2, given.State, given.SubjectRef, given.Assignee
	w.sameRequest("restricted", want, w.requested("acme", opened.ID))
	w.clock.Advance(time.Second)
	given = want
	given.State = vault.StateCompleted
	c = w.commit("acme", vault.LiftRestriction{SubjectRef: e.ann.Ref, Request: given})
	w.changed("lifted", c, 3, 0)
	e.alone("lifted", vault.MappingLive)
	w.restrictionEntry("acme", c, audit.KindLiftRestriction, 3, 0)
	want.Revision, want.State, want.ClosedAt, want.Subject = 3, vault.StateCompleted, w.now(), vault.Digest{}
	w.sameRequest("lifted", want, w.requested("acme", opened.ID))
	w.commit("acme", e.p.Restore(e.hers, e.tied, e.both))
	w.CheckLog("acme")
}

// alone checks the state of what is ann's alone, and that all else lives.
func (e *estate) alone(what string, state vault.MappingState) {
	e.Helper()
	e.people(what, e.p, e.hers, state, e.ann)
	e.people(what, e.q, e.there, state, e.ann)
	e.people(what, e.p, e.tied, state, e.ann)
	e.people(what, e.p, e.both, vault.MappingLive, e.ann, e.bob)
	e.people(what, e.p, e.near, vault.MappingLive)
	e.people(what, e.q, e.his, vault.MappingLive, e.bob)
}

// restrictionEntry checks what the entry of a commit says.
func (w *world) restrictionEntry(tenant string, c vault.Committed, kind audit.Kind, mappings, shared int) {
	w.Helper()
	entry, err := audit.ParseLeaf(w.leaf(tenant, c.First))
	w.no(err)
	if diff := cmp.Diff(map[string]int{"mappings": mappings, "shared": shared}, entry.Counts); diff != "" || entry.Kind != kind {
		w.Errorf("an entry of kind %s: %s", entry.Kind, diff)
	}
}

func restrictedReached(w *world) {
	e := w.estate("acme")
	r, _ := w.restrict("acme", e.ann)
	plain := e.p.Restore(e.hers)
	w.refuse(vault.ErrConflict, "acme", plain)
	plain.Refs[0].Expired = true
	w.refuse(vault.ErrConflict, "acme", plain)
	plain.Refs[0].Expired, plain.Refs[0].Restricted = false, true
	w.commit("acme", plain)
	w.refuse(vault.ErrConflict, "acme", e.p.Restore(e.both, e.tied))
	w.commit("acme", e.p.Restore(e.both, e.near))
	touch := e.p.Tokenize()
	touch.Touch = []vault.TouchRef{{TokenID: e.hers.Mapping.TokenID, Entity: "PERSON", TTL: ttl}}
	w.refuse(vault.ErrConflict, "acme", touch)
	again := e.p.Value("hers")
	if s := w.keep(e.p, again)[0]; s.Reused || s.TokenID != again.Mapping.TokenID {
		w.Errorf("what is restricted was found again: %+v", s)
	}
	w.commit("acme", e.p.Restore(again))
	e.people("beside its new token", e.p, e.hers, vault.MappingRestricted, e.ann)
	// It expires like all else, and what is past its time no lift revives.
	w.clock.Advance(ttl)
	w.refuse(vault.ErrConflict, "acme", plain)
	w.lift("acme", e.ann, r)
	w.refuse(vault.ErrConflict, "acme", e.q.Restore(e.there))
	w.commit("acme", e.p.Sweep(e.tied))
}

func restrictedLiving(w *world) {
	e := w.estate("acme")
	short := e.q.Value("short")
	short.TTL, short.SubjectRefs = time.Second, []string{e.ann.Ref}
	w.commit("acme", about(e.q, []vault.SubjectUse{{Subject: e.ann}}, short))
	w.clock.Advance(time.Second)
	w.keep(e.q, e.q.Value("short")) // nobody's, and it retires the one that is hers
	r, c := w.restrict("acme", e.ann)
	w.changed("what lives", c, 3, 1)
	e.uses(e.p, "late", e.own, false, e.ann)
	if got := w.keep(e.p, e.p.Value("late")); !got[0].Reused {
		w.Error("what came after the restriction is not found again")
	}
	w.changed("restricted again", w.commit("acme", vault.Restrict{SubjectRef: e.ann.Ref, Request: r}), 1, 1)
	r = w.requested("acme", r.ID)
	w.changed("all of it, lifted", w.lift("acme", e.ann, r), 4, 0)
	_, c = w.restrict("acme", person("nobody"))
	w.changed("nobody", c, 0, 0)
	// In a tenant that is not served a restriction may be put on.
	w.commit("acme", vault.SetTenant{State: vault.TenantSuspended})
	_, c = w.restrict("acme", e.bob)
	w.changed("suspended", c, 1, 1)
	w.commit("acme", vault.SetTenant{State: vault.TenantActive})
	w.hold("acme", onValue(short))
	if m := w.in(e.q, short); m.State != vault.MappingRetired {
		w.Errorf("what was replaced is %s", m.State)
	}
}

func restrictedRefused(w *world) {
	e := w.estate("acme")
	r := w.open("acme", w.request(vault.RequestRestriction, e.ann))
	running, _ := w.restrict("acme", e.bob)
	for name, spoil := range map[string]func(*vault.SubjectRequest){
		"of another revision":        func(r *vault.SubjectRequest) { r.Revision++ },
		"of a request not there":     func(r *vault.SubjectRequest) { r.ID = "none" },
		"of no request":              func(r *vault.SubjectRequest) { *r = vault.SubjectRequest{} },
		"of a request without an id": func(r *vault.SubjectRequest) { r.ID, r.Revision = "", 0 },
	} {
		bad, bads := r, running
		spoil(&bad)
		spoil(&bads)
		e.unchanged("restricted "+name, vault.ErrConflict, vault.Restrict{SubjectRef: e.ann.Ref, Request: bad})
		e.unchanged("lifted "+name, vault.ErrConflict, vault.LiftRestriction{SubjectRef: e.bob.Ref, Request: bads})
	}
	r.State = vault.StateWithdrawn
	r = w.update("acme", r)
	e.unchanged("of a closed request", vault.ErrConflict, vault.Restrict{SubjectRef: e.ann.Ref, Request: r})
	e.unchanged("lifted by a closed request", vault.ErrConflict, vault.LiftRestriction{SubjectRef: e.bob.Ref, Request: r})
	w.sameRequest("after what was refused", running, w.requested("acme", running.ID))
}

func liftedShared(w *world) {
	e := w.estate("acme")
	r, _ := w.restrict("acme", e.ann)
	w.link("acme", e.bob, e.tied)
	w.changed("lifted", w.lift("acme", e.ann, r), 2, 1)
	e.people("hers", e.p, e.hers, vault.MappingLive, e.ann)
	e.people("of two", e.p, e.tied, vault.MappingRestricted, e.ann, e.bob)
	w.restores(e.p, e.tied, true)
}

func liftedReplaced(w *world) {
	e := w.estate("acme")
	r, _ := w.restrict("acme", e.ann)
	again, other := e.p.Value("hers"), e.q.Value("hers") // the second in another scope
	w.keep(e.p, again)
	w.keep(e.q, other)
	lapsed := e.p.Value("tied")
	lapsed.TTL = time.Second
	w.keep(e.p, lapsed)
	w.clock.Advance(time.Second)
	c := w.lift("acme", e.ann, r) // also where the newer token is past its time
	w.changed("lifted", c, 3, 0)
	if got := w.read(e.p, e.hers.Mapping.TokenID, again.Mapping.TokenID); len(got) != 1 || got[again.Mapping.TokenID].State != vault.MappingLive {
		w.Errorf("of a value with two tokens: %+v", got)
	}
	w.restores(e.p, again, true)
	reaches := e.p.Restore(e.hers)
	reaches.Refs[0].Restricted, reaches.Refs[0].Expired = true, true
	w.refuse(vault.ErrConflict, "acme", reaches)
	w.commit("acme", e.q.Restore(e.there, other))
	if s := w.keep(e.p, e.p.Value("hers"), e.p.Value("tied")); s[0].TokenID != again.Mapping.TokenID {
		w.Errorf("found again: %+v", s)
	}
	w.refuse(vault.ErrConflict, "acme", e.p.Sweep(e.hers)) // it has its time, too
	w.clock.Advance(ttl)
	w.commit("acme", e.p.Sweep(e.hers))
	w.CheckLog("acme")
}

func liftedTwice(w *world) {
	e := w.estate("acme")
	r, _ := w.restrict("acme", e.ann)
	again := e.p.Value("hers")
	again.Mapping.KeyID, again.SubjectRefs = e.own.ID, []string{e.ann.Ref}
	w.commit("acme", about(e.p, []vault.SubjectUse{{Subject: e.ann}}, again))
	w.clock.Advance(time.Second)
	w.changed("restricted again", w.commit("acme", vault.Restrict{SubjectRef: e.ann.Ref, Request: r}), 1, 1)
	w.changed("lifted", w.lift("acme", e.ann, w.requested("acme", r.ID)), 4, 0)
	got := w.read(e.p, e.hers.Mapping.TokenID, again.Mapping.TokenID)
	if len(got) != 1 { // one that was replaced is not read
		w.Errorf("of a value with two tokens: %+v", got)
	}
	for id, m := range got {
		if s := w.keep(e.p, e.p.Value("hers"))[0]; m.State != vault.MappingLive || !s.Reused || s.TokenID != id {
			w.Errorf("%+v is %s", s, m.State)
		}
	}
}

func liftedErased(w *world) {
	e := w.estate("acme")
	r, _ := w.restrict("acme", e.ann)
	e.uses(e.q, "there", e.bobs, false, e.bob) // the same value, of somebody else now
	w.erase("acme", erasureOf(e.bob))
	w.changed("lifted", w.lift("acme", e.ann, r), 3, 0)
	e.people("beside what was erased", e.q, e.there, vault.MappingLive, e.ann)
	w.commit("acme", e.q.Restore(e.there))
	if s := w.keep(e.q, e.q.Value("there"))[0]; !s.Reused || s.TokenID != e.there.Mapping.TokenID {
		w.Errorf("found again: %+v", s)
	}
	w.sweepUntilDone("acme", 10)
	w.commit("acme", e.q.Restore(e.there))
}

func liftedDeferred(w *world) {
	for _, before := range []bool{true, false} { // whether the restriction was first
		tenant := map[bool]string{true: "acme", false: "globex"}[before]
		e := w.estate(tenant)
		var r vault.SubjectRequest
		if before {
			r, _ = w.restrict(tenant, e.ann)
		}
		hold := w.hold(tenant, onValue(e.hers))
		waits, _ := w.erase(tenant, erasureOf(e.ann))
		at, late := e.q.Value("at"), e.q.Value("late")
		at.SubjectRefs, late.SubjectRefs = []string{e.ann.Ref}, []string{e.ann.Ref}
		w.commit(tenant, about(e.q, []vault.SubjectUse{{Subject: e.ann}}, at)) // in the microsecond of the erasure
		w.clock.Advance(time.Microsecond)
		w.commit(tenant, about(e.q, []vault.SubjectUse{{Subject: e.ann}}, late))
		if before {
			w.commit(tenant, vault.Restrict{SubjectRef: e.ann.Ref, Request: r})
			r = w.requested(tenant, r.ID)
		} else {
			r, _ = w.restrict(tenant, e.ann)
		}
		e.people("restricted", e.q, late, vault.MappingRestricted, e.ann)
		w.changed(tenant, w.lift(tenant, e.ann, r), 1, 0)
		e.people("what the erasure is about", e.p, e.hers, vault.MappingRestricted, e.ann)
		e.people("what was made in its microsecond", e.q, at, vault.MappingRestricted, e.ann)
		e.people("what came later", e.q, late, vault.MappingLive, e.ann)
		w.release(tenant, hold)
		w.erase(tenant, waits)
		w.restores(e.p, e.hers, false)
		w.restores(e.q, late, true)
		r, _ = w.restrict(tenant, e.ann)
		w.changed("after the erasure", w.lift(tenant, e.ann, r), 1, 0)
	}
}

func restrictedInOneWindow(w *world) {
	e := w.estate("acme")
	r := w.open("acme", w.request(vault.RequestRestriction, e.ann))
	restrict := Change(w, "acme", vault.Restrict{SubjectRef: e.ann.Ref, Request: r})
	answers := w.window("acme", Change(w, "acme", e.p.Restore(e.hers)), restrict, Change(w, "acme", e.p.Restore(e.hers)))
	w.no(answers[0].err)
	w.no(answers[1].err)
	w.is(answers[2].err, vault.ErrConflict)
	r = w.requested("acme", r.ID)
	r.State = vault.StateCompleted
	lift := Change(w, "acme", vault.LiftRestriction{SubjectRef: e.ann.Ref, Request: r})
	again, later := e.p.Value("hers"), e.p.Value("hers")
	answers = w.window("acme", Change(w, "acme", e.p.Restore(e.hers)), lift, Change(w, "acme", e.p.Restore(e.hers)),
		Change(w, "acme", e.p.Tokenize(again)), Change(w, "acme", e.p.Tokenize(later)))
	w.is(answers[0].err, vault.ErrConflict)
	for _, a := range answers[1:] {
		w.no(a.err)
	}
	for _, a := range answers[3:] {
		if s := a.Outcome.Standing[0]; !s.Reused || s.TokenID != e.hers.Mapping.TokenID {
			w.Errorf("after it was lifted: %+v", s)
		}
	}
	w.CheckLog("acme")
}

func restrictedForeign(w *world) {
	mine, theirs, value := w.twins()
	ann := vault.Subject{Digest: Digest("p"), IndexVersion: 1, Ref: value.SubjectRefs[0]}
	r, c := w.restrict("acme", ann)
	w.changed("mine", c, 1, 0)
	w.commit("Acme", theirs.Restore(value))
	w.refuse(vault.ErrConflict, "acme", mine.Restore(value))
	w.refuse(vault.ErrConflict, "Acme", vault.LiftRestriction{SubjectRef: ann.Ref, Request: r})
	theirRequest, _ := w.restrict("Acme", ann)
	w.changed("theirs", w.lift("Acme", ann, theirRequest), 1, 0)
	w.commit("Acme", theirs.Restore(value))
	w.refuse(vault.ErrConflict, "acme", mine.Restore(value))
}
