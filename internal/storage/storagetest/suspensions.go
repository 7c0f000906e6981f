package storagetest

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// suspensionClauses are about restorations that a suspension stops.
var suspensionClauses = []clause{
	{"Invariant15/a suspension stops what it matches and nothing else", suspensionMatches},
	{"Invariant15/a suspension that matches one value stops all of the request", suspensionWhole},
	{"Invariant15/a suspension of names stops names", suspensionNames},
	{"Invariant15/a suspension that cannot be read stops everything", suspensionUnreadable},
	{"Invariant15/only what stands stops, until its end", suspensionStands},
	{"Invariant15/in one window of a suspension and a restoration the first decides", suspensionInOneWindow},
	{"Invariant15/nothing is restored after the commit of a suspension", suspensionRace},
	{"Invariant15/as many suspensions as may stand are all judged", suspensionMany},
	{"Invariant6/a suspension of one tenant stops nothing of another", suspensionForeign},
}

// suspension is one that stops what matches.
func suspension(t testing.TB, match vault.SuspensionMatch) vault.Proceeding {
	t.Helper()
	body, err := json.Marshal(match)
	if err != nil {
		t.Fatalf("a suspension: %v", err)
	}
	p := proceeding(vault.ProceedingSuspension, vault.ProceedingStanding)
	p.Body = body
	return p
}

// mia is somebody who restores.
var mia = vault.Restorer{Actor: "mia", Client: "desk-1", EndUser: Digest("end user"), Reason: "CUSTOMER_SUPPORT"}

// restoring is a restoration by mia of values that were made at a time.
func (p Place) restoring(made time.Time, values ...vault.NewMapping) vault.Restore {
	r := p.Restore(values...)
	r.By = mia
	for i := range r.Refs {
		r.Refs[i].ScopeName, r.Refs[i].MadeAt = p.Scope.Digest, made
	}
	return r
}

func suspensionMatches(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	made := w.now()
	other := Digest("another")
	for name, tt := range map[string]struct {
		match vault.SuspensionMatch
		stops bool
	}{
		"everything":        {vault.SuspensionMatch{}, true},
		"her":               {vault.SuspensionMatch{Callers: []string{"max", "mia"}}, true},
		"another":           {vault.SuspensionMatch{Callers: []string{"max", "Mia", "mia "}}, false},
		"her client":        {vault.SuspensionMatch{Clients: []string{"desk-1"}}, true},
		"her as a client":   {vault.SuspensionMatch{Clients: []string{"mia"}}, false},
		"the end user":      {vault.SuspensionMatch{EndUsers: []vault.Digest{other, mia.EndUser}}, true},
		"another end user":  {vault.SuspensionMatch{EndUsers: []vault.Digest{other, {}}}, false},
		"the scope":         {vault.SuspensionMatch{Scopes: []vault.Digest{p.Scope.Digest}}, true},
		"another scope":     {vault.SuspensionMatch{Scopes: []vault.Digest{other}}, false},
		"the reason":        {vault.SuspensionMatch{Reasons: []string{"FRAUD_REVIEW", "CUSTOMER_SUPPORT"}}, true},
		"another reason":    {vault.SuspensionMatch{Reasons: []string{"FRAUD_REVIEW"}}, false},
		"the entity":        {vault.SuspensionMatch{Entities: []string{"PERSON"}}, true},
		"another entity":    {vault.SuspensionMatch{Entities: []string{"EMAIL_ADDRESS", "person"}}, false},
		"since then":        {vault.SuspensionMatch{From: made}, true},
		"since later":       {vault.SuspensionMatch{From: made.Add(time.Microsecond)}, false},
		"until then":        {vault.SuspensionMatch{To: made}, false},
		"until later":       {vault.SuspensionMatch{To: made.Add(time.Microsecond)}, true},
		"in between":        {vault.SuspensionMatch{From: made.Add(-time.Hour), To: made.Add(time.Hour)}, true},
		"all of it":         {vault.SuspensionMatch{Callers: []string{"mia"}, Entities: []string{"PERSON"}, Reasons: []string{mia.Reason}, From: made}, true},
		"all but the last":  {vault.SuspensionMatch{Callers: []string{"mia"}, Entities: []string{"PERSON"}, Reasons: []string{"FRAUD_REVIEW"}}, false},
		"all but the first": {vault.SuspensionMatch{Callers: []string{"max"}, Entities: []string{"PERSON"}, Reasons: []string{mia.Reason}}, false},
	} {
		stop := w.begin("acme", suspension(w, tt.match))
		var want error
		if tt.stops {
			want = vault.ErrConflict
		}
		before := w.size("acme")
		_, err := w.try("acme", p.restoring(made, m))
		if !errors.Is(err, want) || (err == nil) != (w.size("acme") == before+1) {
			w.Errorf("of %s: got error %v, want %v", name, err, want)
		}
		w.end("acme", stop, vault.ProceedingDone)
		w.commit("acme", p.restoring(made, m)) // once it is lifted
	}
	w.CheckLog("acme")
}

func suspensionWhole(w *world) {
	p := w.place("acme")
	q := w.scope("acme", "another conversation")
	early, there := p.Value("early"), q.Value("there")
	mail := p.Value("mail")
	mail.Mapping.Entity = "EMAIL_ADDRESS"
	w.keep(p, early)
	began := w.now()
	w.clock.Advance(time.Minute)
	w.keep(p, mail)
	w.keep(q, there)
	all := p.restoring(began, early)
	all.Refs = append(all.Refs, q.restoring(w.now(), there).Refs...)
	all.Refs = append(all.Refs, p.restoring(w.now(), mail).Refs...)
	for _, match := range []vault.SuspensionMatch{
		{Entities: []string{"EMAIL_ADDRESS"}}, {Scopes: []vault.Digest{q.Scope.Digest}}, {To: w.now()},
		{From: w.now(), Entities: []string{"PERSON"}},
	} {
		stop := w.begin("acme", suspension(w, match))
		w.refuse(vault.ErrConflict, "acme", all)
		w.end("acme", stop, vault.ProceedingDone)
	}
	// What is not said to be in another scope counts as in the one that is meant.
	unread := p.restoring(began, early)
	unread.Refs[0].ScopeName = vault.Digest{}
	w.commit("acme", unread)
	stop := w.begin("acme", suspension(w, vault.SuspensionMatch{Scopes: []vault.Digest{q.Scope.Digest}}))
	w.refuse(vault.ErrConflict, "acme", unread)
	w.commit("acme", p.restoring(began, early))
	w.end("acme", stop, vault.ProceedingDone)
	// No one value is both.
	w.begin("acme", suspension(w, vault.SuspensionMatch{Entities: []string{"EMAIL_ADDRESS"}, To: w.now()}))
	w.commit("acme", all)
}

func suspensionNames(w *world) {
	p := w.place("acme")
	ann := w.named("acme", "ann")
	names := func(refs ...vault.NameRef) vault.Restore { return vault.Restore{By: mia, Names: refs} }
	scope := vault.NameRef{ScopeID: p.Scope.ID, KeyID: p.Key.ID, ScopeName: p.Scope.Digest}
	hers := vault.NameRef{SubjectRef: ann.Ref, KeyID: ann.NameKeyID}
	for name, tt := range map[string]struct {
		match          vault.SuspensionMatch
		scope, subject bool // whether it stops the name of the scope, and of ann
	}{
		"everything":    {vault.SuspensionMatch{}, true, true},
		"her":           {vault.SuspensionMatch{Callers: []string{"mia"}}, true, true},
		"somebody else": {vault.SuspensionMatch{Callers: []string{"max"}}, false, false},
		"the scope":     {vault.SuspensionMatch{Scopes: []vault.Digest{p.Scope.Digest}}, true, true},
		"another scope": {vault.SuspensionMatch{Scopes: []vault.Digest{Digest("another")}}, false, true},
		"an entity":     {vault.SuspensionMatch{Entities: []string{"EMAIL_ADDRESS"}}, true, true},
		"another time":  {vault.SuspensionMatch{To: w.now().Add(-life)}, true, true},
	} {
		stop := w.begin("acme", suspension(w, tt.match))
		for _, one := range []struct {
			effect vault.Restore
			stops  bool
		}{{names(scope), tt.scope}, {names(hers), tt.subject}, {names(scope, hers), tt.scope || tt.subject}} {
			var want error
			if one.stops {
				want = vault.ErrConflict
			}
			if _, err := w.try("acme", one.effect); !errors.Is(err, want) {
				w.Errorf("of %s: got error %v, want %v", name, err, want)
			}
		}
		w.end("acme", stop, vault.ProceedingDone)
	}
	w.commit("acme", names(scope, hers))
}

func suspensionUnreadable(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	for _, body := range []string{"", "{", `{"callers":"max"}`, `{"end_users":["0"]}`, "\x00", "[]"} {
		stop := proceeding(vault.ProceedingSuspension, vault.ProceedingStanding)
		stop.Body = []byte(body)
		stop = w.begin("acme", stop)
		w.refuse(vault.ErrConflict, "acme", p.restoring(w.now(), m))
		w.end("acme", stop, vault.ProceedingDone)
		w.commit("acme", p.restoring(w.now(), m))
	}
}

func suspensionStands(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	m.TTL = maxAge
	w.keep(p, m)
	effect := p.restoring(w.now(), m)
	stop := w.begin("acme", suspension(w, vault.SuspensionMatch{Callers: []string{"mia"}}))
	w.refuse(vault.ErrConflict, "acme", effect)
	// What it stops is said by its last revision.
	stop.Body = suspension(w, vault.SuspensionMatch{Callers: []string{"max"}}).Body
	stop = w.alter("acme", stop)
	w.commit("acme", effect)
	stop.Body = suspension(w, vault.SuspensionMatch{}).Body
	stop = w.alter("acme", stop)
	w.refuse(vault.ErrConflict, "acme", effect)
	// Everything else goes on: only restorations are stopped.
	w.keep(p, p.Value("another"))
	w.commit("acme", vault.Record{})
	w.commit("acme", vault.Restore{By: mia})
	w.end("acme", stop, vault.ProceedingDone)
	w.commit("acme", effect)
	// What does not stand, or is something else, stops nothing.
	for _, p := range []vault.Proceeding{
		proceeding(vault.ProceedingReview, vault.ProceedingStanding), proceeding(vault.ProceedingIncident, vault.ProceedingStanding),
		proceeding(vault.ProceedingSuspension, vault.ProceedingPending), proceeding(vault.ProceedingSuspension, vault.ProceedingApproved),
		proceeding(vault.ProceedingPolicy, vault.ProceedingStanding), proceeding(vault.ProceedingConsent, vault.ProceedingStanding),
	} {
		w.begin("acme", p)
	}
	w.commit("acme", effect)
	// One that ends stops nothing from that instant on, and a clock that goes back
	// does not bring it back.
	ends := suspension(w, vault.SuspensionMatch{})
	ends.ExpiresAt = w.now().Add(time.Minute)
	w.begin("acme", ends)
	w.clock.Advance(time.Minute - time.Microsecond)
	w.refuse(vault.ErrConflict, "acme", effect)
	w.clock.Advance(time.Microsecond)
	w.commit("acme", effect)
	w.clock.Advance(-time.Minute)
	w.commit("acme", effect)
}

func suspensionInOneWindow(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	restore := func() vault.Change { return Change(w, "acme", p.restoring(w.now(), m)) }
	stops := Change(w, "acme", vault.OpenProceeding{Proceeding: suspension(w, vault.SuspensionMatch{Entities: []string{"PERSON"}})})
	answers := w.window("acme", restore(), restore(), stops, restore(), restore())
	for i, want := range []error{nil, nil, nil, vault.ErrConflict, vault.ErrConflict} {
		w.is(answers[i].err, want)
	}
	if answers[1].First >= answers[2].First || answers[1].Tree == answers[2].Tree {
		w.Errorf("the suspension is at %d, a restoration before it at %d", answers[2].First, answers[1].First)
	}
	lifted := w.proceeding("acme", stops.ID())
	lifted.State = vault.ProceedingDone
	answers = w.window("acme", restore(), Change(w, "acme", altering(lifted)), restore())
	w.is(answers[0].err, vault.ErrConflict)
	w.no(answers[1].err)
	w.no(answers[2].err)
	w.CheckLog("acme")
}

func suspensionRace(w *world) {
	const clients, tries, head = 8, 40, 20
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	stops := Change(w, "acme", vault.OpenProceeding{Proceeding: suspension(w, vault.SuspensionMatch{Callers: []string{"mia"}})})
	var mu sync.Mutex
	var restored []int64
	var stopped int64
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for range tries {
				c, err := w.Store.Commit(w.ctx, "acme", Change(w, "acme", p.restoring(start, m)))
				if err != nil {
					w.is(err, vault.ErrConflict)
					continue
				}
				mu.Lock()
				restored = append(restored, c.First)
				enough := len(restored) == head
				mu.Unlock()
				if enough {
					c, err := w.Store.Commit(w.ctx, "acme", stops)
					w.is(err, nil)
					stopped = c.First
				}
			}
		})
	}
	group.Wait()
	for _, index := range restored {
		if index > stopped {
			w.Errorf("suspended at %d, and restored at %d", stopped, index)
		}
	}
	if len(restored) < head || len(restored) == clients*tries {
		w.Error("there was no race: nothing was restored before the suspension, or all")
	}
	w.CheckLog("acme")
}

func suspensionMany(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	var last vault.Proceeding
	for i := range vault.MaxSuspensions {
		match := vault.SuspensionMatch{Entities: []string{"EMAIL_ADDRESS"}}
		if i == vault.MaxSuspensions-1 {
			match.Entities = nil
		}
		last = w.begin("acme", suspension(w, match))
	}
	w.refuse(vault.ErrConflict, "acme", p.restoring(w.now(), m))
	w.end("acme", last, vault.ProceedingDone)
	w.commit("acme", p.restoring(w.now(), m))
}

func suspensionForeign(w *world) {
	mine, theirs, value := w.twins()
	stop := w.begin("acme", suspension(w, vault.SuspensionMatch{}))
	w.refuse(vault.ErrConflict, "acme", mine.restoring(w.now(), value))
	w.commit("Acme", theirs.restoring(w.now(), value))
	w.end("acme", stop, vault.ProceedingDone)
	w.begin("Acme", suspension(w, vault.SuspensionMatch{}))
	w.commit("acme", mine.restoring(w.now(), value))
}
