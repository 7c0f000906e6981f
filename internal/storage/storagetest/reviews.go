package storagetest

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// reviewClauses are about uses that somebody has to look at, and about what
// restorations rest on.
var reviewClauses = []clause{
	{"Invariant2/a restoration opens a proceeding besides, or neither is there", opensBesides},
	{"Invariant2/what is no restoration opens nothing besides", opensNothing},
	{"Invariant17/so many reviews that are overdue take it away from their actor", overdueLimit},
	{"Invariant17/a review is overdue by the store's clock until it is closed", overdueClock},
	{"consents/a restoration rests on what stands", restsOn},
	{"Invariant9/a consent that is over is none from that instant on", consentExpires},
	{"Invariant8/in one window of a withdrawal and a restoration the first decides", consentInOneWindow},
	{"Invariant6/what one tenant may rest on no other may", restsOnForeign},
}

// review is one that an actor has to have looked at until a time.
func review(actor string, due time.Time) vault.Proceeding {
	p := proceeding(vault.ProceedingReview, vault.ProceedingStanding)
	p.Actor, p.DueAt = actor, due
	return p
}

func opensBesides(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	asked := review("mia", w.now().Add(72*time.Hour))
	asked.Body, asked.ExpiresAt = []byte("{ \"tokens\": [1] }\x00"), w.now().Add(life)
	want := asked
	asked.ID, asked.Revision, asked.CreatedAt, asked.ClosedAt = "of the caller", 9, start, start // none of which counts
	w.clock.Advance(time.Second)
	var changes []vault.Change
	for i := range 5 {
		effect := p.Restore(m)
		if i == 2 {
			effect = p.Restore(p.Value("none"))
		}
		changes = append(changes, Change(w, "acme", effect).Opening(asked))
	}
	for i, a := range w.window("acme", changes...) {
		got := w.proceedings("acme", vault.ProceedingQuery{ID: changes[i].ID()})
		if i == 2 {
			w.is(a.err, vault.ErrConflict)
			if len(got) != 0 {
				w.Errorf("what failed opened %+v", got)
			}
			continue
		}
		w.no(a.err)
		want.ID, want.Revision, want.CreatedAt = changes[i].ID(), 1, w.now()
		w.sameProceeding("opened besides", want, w.proceeding("acme", changes[i].ID()))
	}
	// What may not be opened takes the restoration with it.
	for name, spoil := range map[string]func(*vault.Proceeding){
		"in no state":     func(p *vault.Proceeding) { p.State = "" },
		"of no kind":      func(p *vault.Proceeding) { p.Kind = "" },
		"of another kind": func(p *vault.Proceeding) { p.Kind = "complaint" },
		"closed":          func(p *vault.Proceeding) { p.State = vault.ProceedingDone },
		"of nobody":       func(p *vault.Proceeding) { p.Actor = "" },
		"too large":       func(p *vault.Proceeding) { p.Body = make([]byte, vault.MaxProceedingBody+1) },
	} {
		bad := asked
		spoil(&bad)
		before := w.size("acme")
		answers := w.window("acme", Change(w, "acme", p.Restore(m)), Change(w, "acme", p.Restore(m)).Opening(bad), Change(w, "acme", p.Restore(m)))
		if answers[1].err == nil || w.size("acme") != before+2 {
			w.Errorf("one %s was opened: %v", name, answers[1].err)
		}
		w.no(answers[0].err)
		w.no(answers[2].err)
	}
	if got := w.proceedings("acme", vault.ProceedingQuery{}); len(got) != 4 {
		w.Errorf("%d proceedings are there, want 4", len(got))
	}
	w.CheckLog("acme")
}

func opensNothing(w *world) {
	p := w.place("acme")
	for _, effect := range []vault.Effect{
		vault.Record{}, p.Tokenize(p.Value("v")), NewPlace("acme", "new", w.now()).Open(), vault.SetTenant{State: vault.TenantSuspended},
		vault.OpenProceeding{Proceeding: review("mia", w.now())},
	} {
		change := Change(w, "acme", effect).Opening(review("mia", w.now()))
		w.refuseChange(vault.ErrNoEntry, "acme", change)
	}
	w.inState("acme", vault.TenantActive)
	if got := w.proceedings("acme", vault.ProceedingQuery{}); len(got) != 0 {
		w.Errorf("%d proceedings were opened", len(got))
	}
}

// overdue is a restoration that fails where so many reviews of somebody are
// overdue.
func overdue(actor string, limit int) vault.Restore {
	return vault.Restore{By: vault.Restorer{Actor: actor}, MaxOverdue: limit}
}

func overdueLimit(w *world) {
	w.tenant("acme")
	w.tenant("Acme")
	due := w.now().Add(time.Second)
	one := w.begin("acme", review("mia", due))
	w.begin("acme", review("Mia", due))
	w.begin("acme", review("max", due))
	w.begin("Acme", review("mia", due))
	w.begin("acme", review("mia", time.Time{}))
	w.begin("acme", review("mia", due.Add(life)))
	incident := review("mia", due)
	incident.Kind = vault.ProceedingIncident
	w.begin("acme", incident)
	w.clock.Advance(time.Minute)
	w.refuse(vault.ErrConflict, "acme", overdue("mia", 1))
	w.commit("acme", overdue("mia", 2))
	w.commit("acme", overdue("mia", 0))
	w.commit("acme", overdue("nobody", 1))
	two := w.begin("acme", review("mia", due))
	w.refuse(vault.ErrConflict, "acme", overdue("mia", 2))
	w.commit("acme", overdue("mia", 3))
	w.commit("acme", overdue("mia", 0))
	w.commit("acme", overdue("Mia", 2))
	// Whoever looked at one gives it back.
	w.end("acme", two, vault.ProceedingDone)
	w.commit("acme", overdue("mia", 2))
	w.refuse(vault.ErrConflict, "acme", overdue("mia", 1))
	w.end("acme", one, vault.ProceedingRejected)
	w.commit("acme", overdue("mia", 1))
	// In one window the first decides.
	three := w.begin("acme", review("mia", due))
	three.State = vault.ProceedingDone
	answers := w.window("acme", Change(w, "acme", overdue("mia", 1)), Change(w, "acme", altering(three)), Change(w, "acme", overdue("mia", 1)))
	w.is(answers[0].err, vault.ErrConflict)
	w.no(answers[1].err)
	w.no(answers[2].err)
}

func overdueClock(w *world) {
	w.tenant("acme")
	one := w.begin("acme", review("mia", w.now().Add(time.Minute)))
	w.commit("acme", overdue("mia", 1))
	w.clock.Advance(time.Minute) // until then it is in time
	w.commit("acme", overdue("mia", 1))
	// What waits in the queue is judged when it has the lock.
	answers := w.windowThen(func() { w.clock.Advance(time.Microsecond) }, "acme", Change(w, "acme", overdue("mia", 1)))
	w.is(answers[0].err, vault.ErrConflict)
	w.commit("acme", vault.Record{})
	w.clock.Advance(-time.Hour)
	w.refuse(vault.ErrConflict, "acme", overdue("mia", 1))
	one.DueAt = w.now().Add(life)
	w.alter("acme", one)
	w.commit("acme", overdue("mia", 1))
}

// restingOn is a restoration of a value that rests on proceedings.
func (p Place) restingOn(m vault.NewMapping, ids ...string) vault.Restore {
	r := p.Restore(m)
	r.Standing = ids
	return r
}

func restsOn(w *world) {
	p := w.place("acme")
	ann, m := person("ann"), p.Value("v")
	m.SubjectRefs = []string{ann.Ref}
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: ann, New: true}}, m))
	of := func(state vault.ProceedingState) vault.Proceeding {
		one := proceeding(vault.ProceedingConsent, vault.ProceedingPending)
		one.SubjectRef = ann.Ref
		one = w.begin("acme", one)
		if one.State = state; state == vault.ProceedingPending {
			return one
		}
		return w.alter("acme", one)
	}
	one, two := of(vault.ProceedingStanding), of(vault.ProceedingStanding)
	w.commit("acme", p.restingOn(m, one.ID))
	w.commit("acme", p.restingOn(m, two.ID, one.ID))
	w.commit("acme", p.restingOn(m, one.ID, one.ID))
	for _, bad := range []string{
		of(vault.ProceedingPending).ID, of(vault.ProceedingApproved).ID, of(vault.ProceedingDone).ID, of(vault.ProceedingRejected).ID,
		"none", "", one.ID + " ", "\x00", "\xff",
	} {
		w.refuse(vault.ErrConflict, "acme", p.restingOn(m, bad))
		w.refuse(vault.ErrConflict, "acme", p.restingOn(m, one.ID, bad))
		w.refuse(vault.ErrConflict, "acme", p.restingOn(m, bad, bad, two.ID))
	}
	w.end("acme", one, vault.ProceedingDone)
	w.refuse(vault.ErrConflict, "acme", p.restingOn(m, two.ID, one.ID))
	w.commit("acme", p.restingOn(m, two.ID))
	// Many of them are judged at once, each.
	var ids []string
	for range 30 {
		ids = append(ids, of(vault.ProceedingStanding).ID)
	}
	w.commit("acme", p.restingOn(m, ids...))
	w.refuse(vault.ErrConflict, "acme", p.restingOn(m, append(ids, one.ID)...))
	w.CheckLog("acme")
}

func consentExpires(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	ends, stays := proceeding(vault.ProceedingConsent, vault.ProceedingStanding), proceeding(vault.ProceedingConsent, vault.ProceedingStanding)
	ends.ExpiresAt = w.now().Add(time.Minute)
	stays.DueAt = w.now().Add(time.Minute) // when somebody looks at it again, which ends nothing
	ends, stays = w.begin("acme", ends), w.begin("acme", stays)
	w.clock.Advance(time.Minute - time.Microsecond)
	w.commit("acme", p.restingOn(m, ends.ID, stays.ID))
	answers := w.windowThen(func() { w.clock.Advance(time.Microsecond) }, "acme", Change(w, "acme", p.restingOn(m, ends.ID)))
	w.is(answers[0].err, vault.ErrConflict)
	w.refuse(vault.ErrConflict, "acme", p.restingOn(m, stays.ID, ends.ID))
	w.commit("acme", p.restingOn(m, stays.ID))
	w.clock.Advance(-time.Minute)
	w.refuse(vault.ErrConflict, "acme", p.restingOn(m, ends.ID))
	// It is prolonged by whoever gave it.
	ends.ExpiresAt = w.now().Add(life)
	w.alter("acme", ends)
	w.commit("acme", p.restingOn(m, ends.ID))
}

func consentInOneWindow(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	consent := w.begin("acme", proceeding(vault.ProceedingConsent, vault.ProceedingStanding))
	withdrawn := consent
	withdrawn.State = vault.ProceedingDone
	rests := func() vault.Change { return Change(w, "acme", p.restingOn(m, consent.ID)) }
	answers := w.window("acme", rests(), rests(), Change(w, "acme", altering(withdrawn)), rests(), Change(w, "acme", p.Restore(m)))
	for i, want := range []error{nil, nil, nil, vault.ErrConflict, nil} {
		w.is(answers[i].err, want)
	}
	if answers[0].Tree != answers[1].Tree || answers[1].First >= answers[2].First {
		w.Errorf("withdrawn at %d, restored at %d", answers[2].First, answers[1].First)
	}
	w.CheckLog("acme")
}

func restsOnForeign(w *world) {
	mine, theirs, value := w.twins()
	consent := w.begin("acme", proceeding(vault.ProceedingConsent, vault.ProceedingStanding))
	w.commit("acme", mine.restingOn(value, consent.ID))
	w.refuse(vault.ErrConflict, "Acme", theirs.restingOn(value, consent.ID))
	w.begin("Acme", proceeding(vault.ProceedingConsent, vault.ProceedingStanding))
	w.refuse(vault.ErrConflict, "Acme", theirs.restingOn(value, consent.ID))
}
