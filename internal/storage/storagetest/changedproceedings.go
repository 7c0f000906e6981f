package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// changedProceedingClauses are about what becomes of proceedings.
var changedProceedingClauses = []clause{
	{"proceedings/a change is of the revision that was read", proceedingRevisions},
	{"proceedings/what began stays, and all else is replaced", proceedingReplaced},
	{"proceedings/one that is closed is closed for good", proceedingClosed},
	{"proceedings/are changed all that are named, or none", proceedingsTogether},
	{"Invariant13/one policy stands at most", onePolicy},
}

// alter replaces a proceeding and returns it as it stands.
func (w *world) alter(tenant string, p vault.Proceeding) vault.Proceeding {
	w.Helper()
	w.commit(tenant, altering(p))
	return w.proceeding(tenant, p.ID)
}

func altering(all ...vault.Proceeding) vault.ChangeProceedings {
	return vault.ChangeProceedings{Proceedings: all}
}

// end closes a proceeding and returns it as it stands.
func (w *world) end(tenant string, p vault.Proceeding, state vault.ProceedingState) vault.Proceeding {
	w.Helper()
	p.State = state
	return w.alter(tenant, p)
}

func proceedingRevisions(w *world) {
	w.tenant("acme")
	p := w.begin("acme", proceeding(vault.ProceedingIncident, vault.ProceedingStanding))
	for i := range 3 {
		w.clock.Advance(time.Second)
		before := p
		p.Body = fmt.Append(nil, `{"event":`, i, `}`)
		want := p
		want.Revision = before.Revision + 1
		w.sameProceeding("changed", want, w.alter("acme", p))
		w.refuse(vault.ErrConflict, "acme", altering(before))
		w.sameProceeding("after what was refused", want, w.proceeding("acme", p.ID))
		p = want
	}
	for _, spoil := range []func(*vault.Proceeding){
		func(p *vault.Proceeding) { p.Revision++ },
		func(p *vault.Proceeding) { p.Revision = 0 },
		func(p *vault.Proceeding) { p.Revision = -p.Revision },
		func(p *vault.Proceeding) { p.ID = "none" },
		func(p *vault.Proceeding) { p.ID = "" },
		func(p *vault.Proceeding) { p.ID = strings.ToUpper(p.ID) + " " },
	} {
		wrong := p
		spoil(&wrong)
		w.refuse(vault.ErrConflict, "acme", altering(wrong))
	}
	// Of two that read the same, one is first.
	one, other := p, p
	one.Body, other.Body = []byte(`{"by":"one"}`), []byte(`{"by":"other"}`)
	answers := w.window("acme", Change(w, "acme", altering(one)), Change(w, "acme", altering(other)))
	w.no(answers[0].err)
	w.is(answers[1].err, vault.ErrConflict)
	one.Revision++
	w.sameProceeding("after two at once", one, w.proceeding("acme", p.ID))
	w.CheckLog("acme")
}

func proceedingReplaced(w *world) {
	p := w.place("acme")
	ann := person("ann")
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: ann, New: true}}))
	of := proceeding(vault.ProceedingConsent, vault.ProceedingPending)
	of.SubjectRef = ann.Ref
	before := w.begin("acme", of)
	w.clock.Advance(time.Hour)
	want := before
	want.Revision, want.State, want.Body = 2, vault.ProceedingApproved, []byte("another\x00body")
	want.DueAt, want.ExpiresAt = w.now().Add(time.Hour), w.now().Add(life)
	given := want
	given.Revision, given.Actor, given.SubjectRef = 1, "officer-2", "" // of which the first counts alone
	given.CreatedAt, given.ClosedAt = w.now(), w.now()
	w.sameProceeding("replaced", want, w.alter("acme", given))
	bare := vault.Proceeding{ID: before.ID, Kind: before.Kind, Revision: 2, State: vault.ProceedingStanding}
	want.Revision, want.State, want.Body, want.DueAt, want.ExpiresAt = 3, bare.State, nil, time.Time{}, time.Time{}
	w.sameProceeding("emptied", want, w.alter("acme", bare))
	// What is due or over long since may be written so.
	bare.Revision, bare.DueAt, bare.ExpiresAt = 3, before.CreatedAt.Add(-life), before.CreatedAt
	want.Revision, want.DueAt, want.ExpiresAt = 4, bare.DueAt, bare.ExpiresAt
	w.sameProceeding("over", want, w.alter("acme", bare))
	// The person may be gone by then: it was of somebody who stood.
	w.erase("acme", erasureOf(ann))
	want = w.proceeding("acme", before.ID)
	want.State = vault.ProceedingDone
	closed := w.alter("acme", want)
	want.Revision, want.ClosedAt = want.Revision+1, w.now()
	w.sameProceeding("of who was erased", want, closed)
}

func proceedingClosed(w *world) {
	w.tenant("acme")
	for _, state := range []vault.ProceedingState{vault.ProceedingDone, vault.ProceedingRejected} {
		p := w.begin("acme", proceeding(vault.ProceedingApproval, vault.ProceedingPending))
		w.clock.Advance(time.Second)
		want := p
		want.Revision, want.State, want.ClosedAt = 2, state, w.now()
		w.sameProceeding(string(state), want, w.end("acme", p, state))
		w.clock.Advance(time.Second)
		for _, next := range []vault.ProceedingState{vault.ProceedingPending, vault.ProceedingApproved, vault.ProceedingStanding, state} {
			again := want
			again.State = next
			w.refuse(vault.ErrConflict, "acme", altering(again))
		}
		w.sameProceeding("after what was refused", want, w.proceeding("acme", p.ID))
	}
	// Where nobody has to come back to it, it is closed from the beginning.
	got := w.begin("acme", proceeding(vault.ProceedingAccessReview, vault.ProceedingDone))
	want := proceeding(vault.ProceedingAccessReview, vault.ProceedingDone)
	want.ID, want.Revision, want.CreatedAt, want.ClosedAt = got.ID, 1, w.now(), w.now()
	w.sameProceeding("closed from the beginning", want, got)
	w.refuse(vault.ErrConflict, "acme", altering(got))
}

func proceedingsTogether(w *world) {
	w.tenant("acme")
	var all []vault.Proceeding
	for range 40 {
		all = append(all, w.begin("acme", proceeding(vault.ProceedingReview, vault.ProceedingStanding)))
	}
	other := w.begin("acme", proceeding(vault.ProceedingSuspension, vault.ProceedingStanding))
	check := func(what string) {
		w.Helper()
		for _, p := range append(slices.Clip(all), other) {
			w.sameProceeding(what, p, w.proceeding("acme", p.ID))
		}
	}
	next := func() []vault.Proceeding {
		next := slices.Clone(all)
		for i := range next {
			next[i].Body = fmt.Append(nil, `{"n":`, i, `}`)
		}
		return next
	}
	for name, spoil := range map[string]func([]vault.Proceeding){
		"one of another revision": func(p []vault.Proceeding) { p[39].Revision++ },
		"one that is not there":   func(p []vault.Proceeding) { p[20].ID = "none" },
		"the last twice":          func(p []vault.Proceeding) { p[0] = p[39] },
		// The entry speaks of one kind, and would be silent about the other.
		"one of another kind":  func(p []vault.Proceeding) { p[39] = other },
		"one in a wrong state": func(p []vault.Proceeding) { p[39].State = "none" },
	} {
		given, before := next(), w.size("acme")
		spoil(given)
		if _, err := w.try("acme", altering(given...)); err == nil || w.size("acme") != before {
			w.Errorf("%s: %v", name, err)
		}
		check(name)
	}
	given := next()
	given[0].State, given[7].State = vault.ProceedingDone, vault.ProceedingDone
	w.commit("acme", altering(given...))
	for i := range given {
		given[i].Revision++
		if given[i].State.Closes() {
			given[i].ClosedAt = w.now()
		}
	}
	all = given
	check("changed together")
	w.refuse(vault.ErrConflict, "acme", altering(next()...))
	check("with two that are closed")
}

func onePolicy(w *world) {
	w.tenant("acme")
	w.tenant("globex")
	policy := proceeding(vault.ProceedingPolicy, vault.ProceedingPending)
	first, second, third := w.begin("acme", policy), w.begin("acme", policy), w.begin("acme", policy)
	first.State = vault.ProceedingStanding
	first = w.alter("acme", first)
	standing := func() []string {
		w.Helper()
		return w.proceedingIDs(vault.ProceedingQuery{Kind: vault.ProceedingPolicy, State: vault.ProceedingStanding})
	}
	// A second may not stand, however it would come to.
	second.State, third.State = vault.ProceedingStanding, vault.ProceedingStanding
	w.refuse(vault.ErrConflict, "acme", altering(second))
	w.refuse(vault.ErrConflict, "acme", altering(second, first))
	w.refuse(vault.ErrConflict, "acme", vault.OpenProceeding{Proceeding: second})
	retired := first
	retired.State = vault.ProceedingDone
	w.refuse(vault.ErrConflict, "acme", altering(retired, second, third))
	if diff := cmp.Diff([]string{first.ID}, standing()); diff != "" {
		w.Fatalf("after what was refused: %s", diff)
	}
	first.Body = []byte("changed, and standing still")
	first = w.alter("acme", first)
	// One takes over from the other, in whatever order they are named.
	retired = first
	retired.State = vault.ProceedingPending
	w.commit("acme", altering(second, retired))
	if diff := cmp.Diff([]string{second.ID}, standing()); diff != "" {
		w.Errorf("promoted: %s", diff)
	}
	first, second = w.proceeding("acme", first.ID), w.proceeding("acme", second.ID)
	first.State, second.State = vault.ProceedingStanding, vault.ProceedingDone
	w.commit("acme", altering(second, first))
	if diff := cmp.Diff([]string{first.ID}, standing()); diff != "" {
		w.Errorf("rolled back: %s", diff)
	}
	// Of two at once the first stands; and another tenant has its own.
	first = w.end("acme", w.proceeding("acme", first.ID), vault.ProceedingDone)
	fourth := w.begin("acme", policy)
	fourth.State = vault.ProceedingStanding
	answers := w.window("acme", Change(w, "acme", altering(third)), Change(w, "acme", altering(fourth)))
	w.no(answers[0].err)
	w.is(answers[1].err, vault.ErrConflict)
	policy.State = vault.ProceedingStanding
	w.begin("globex", policy)
	w.refuse(vault.ErrConflict, "globex", vault.OpenProceeding{Proceeding: policy})
	w.commit("acme", vault.Record{})
	w.CheckLog("acme")
}
